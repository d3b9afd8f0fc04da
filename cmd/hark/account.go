package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"hark/accounts"
	"hark/im"
	"hark/im/xmpp"
	"hark/ivr/console"
)

func (p *program) accountCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "account",
		Short: "Make, list, change and delete users",
		Long: `Make, list, change and delete users. These commands work beside a running server, and take effect at once; only the
network logins of a session that is already open are taken up when the user logs in again.`,
		Example: `  hark account list
  hark account pin 2740915`,
	}
	command.AddCommand(p.accountAdd(), p.accountList(), p.accountPIN(), p.accountNetwork(), p.accountPhone(), p.accountCaller(),
		p.accountExport(), p.accountDelete())
	return command
}

func (p *program) accountAdd() *cobra.Command {
	var name, language string
	var asJSON bool
	command := &cobra.Command{
		Use:   "add --name NAME",
		Short: "Make a user; prints the user number and the PIN, once",
		Example: `  hark account add --name Ana
  hark account add --name "Renée Łuczak" --language de --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withStores(cmd.Context(), func(s stores) error {
				if _, err := bookIn(language, s.config.Prompts.Dir); err != nil {
					return err
				}
				u, pin, err := s.accounts.Add(cmd.Context(), accounts.NewUser{Name: name, Language: language})
				if err != nil {
					return err
				}
				if asJSON {
					return p.printJSON(map[string]string{"name": u.Name, "number": u.Number, "pin": pin})
				}
				fmt.Fprintf(p.out, "%s's user number is %s and the PIN is %s.\nThe PIN is not shown again; \"hark account pin %s\" makes a new one.\n",
					u.Name, u.Number, pin, u.Number)
				return nil
			})
		},
	}
	command.Flags().StringVar(&name, "name", "", "how the user is called, as it is spoken")
	command.Flags().StringVar(&language, "language", "en", "language of the prompts")
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	_ = command.MarkFlagRequired("name") // it is defined above
	return command
}

func (p *program) accountList() *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "list",
		Short: "List the users and their logins at IM networks",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withStores(cmd.Context(), func(s stores) error { return p.listAccounts(cmd.Context(), s, asJSON) })
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return command
}

// accountRow is what an administrator sees of a user.
type accountRow struct {
	Number   string   `json:"number"`
	Name     string   `json:"name"`
	Language string   `json:"language"`
	Locked   bool     `json:"locked"`
	Networks []string `json:"networks"`
}

func (p *program) listAccounts(ctx context.Context, s stores, asJSON bool) error {
	users, err := s.accounts.List(ctx)
	if err != nil {
		return err
	}
	rows := []accountRow{}
	var lines []string
	for _, u := range users {
		row := accountRow{u.Number, u.Name, u.Language, u.Locked, []string{}}
		logins, err := s.accounts.Logins(ctx, u.Number)
		if err != nil {
			return err
		}
		for _, l := range logins {
			row.Networks = append(row.Networks, l.Address().String())
		}
		rows = append(rows, row)
		lines = append(lines, fmt.Sprintf("%s\t%s\t%s\t%v\t%s", row.Number, row.Name, row.Language, row.Locked, strings.Join(row.Networks, " ")))
	}
	if asJSON {
		return p.printJSON(rows)
	}
	return p.printTable("NUMBER\tNAME\tLANGUAGE\tLOCKED\tNETWORKS", lines)
}

func (p *program) accountPIN() *cobra.Command {
	return &cobra.Command{
		Use:   "pin NUMBER",
		Short: "Give a user a new PIN, and unlock the account; prints the PIN, once",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withStores(cmd.Context(), func(s stores) error {
				pin, err := s.accounts.NewPIN(cmd.Context(), args[0])
				if err != nil {
					return nobody(args[0], err)
				}
				fmt.Fprintf(p.out, "The new PIN of %s is %s. It is not shown again.\n", args[0], pin)
				return nil
			})
		},
	}
}

// nobody says in words that there is no such user.
func nobody(number string, err error) error {
	if errors.Is(err, accounts.ErrNotFound) {
		return fmt.Errorf("there is no %s; \"hark account list\" shows who is", number)
	}
	return err
}

func (p *program) accountNetwork() *cobra.Command {
	command := &cobra.Command{Use: "network", Short: "Set or forget a user's login at an IM network"}
	var server string
	set := &cobra.Command{
		Use:   "set NUMBER NETWORK ID",
		Short: "Let Hark log in as the user; the password is read from standard input",
		Example: `  hark account network set 2740915 xmpp ana@example.org < password.txt
  hark account network set 2740915 xmpp ana@example.org --server xmpp.internal:5222`,
		Args: cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			login := im.Account{User: args[0], Network: args[1], ID: args[2], Server: server}
			if login.Network != im.XMPP {
				return fmt.Errorf("%q is not a network that Hark knows: xmpp", login.Network)
			}
			if err := xmpp.Check(login); err != nil {
				return err
			}
			var err error
			if login.Password, err = p.readPassword(cmd.Context()); err != nil {
				return err
			}
			return p.withStores(cmd.Context(), func(s stores) error {
				return nobody(login.User, s.accounts.SetLogin(cmd.Context(), login))
			})
		},
	}
	set.Flags().StringVar(&server, "server", "", "host:port of the server, when its domain's records do not tell")
	drop := &cobra.Command{
		Use:   "drop NUMBER NETWORK",
		Short: "Forget the user's login at a network",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withStores(cmd.Context(), func(s stores) error {
				return nobody(args[0]+" at "+args[1], s.accounts.DropLogin(cmd.Context(), args[0], args[1]))
			})
		},
	}
	command.AddCommand(set, drop)
	return command
}

// readPassword reads one line, which a terminal does not show.
func (p *program) readPassword(ctx context.Context) (string, error) {
	if p.in == os.Stdin && isTerminal(os.Stdin) {
		fmt.Fprint(p.errOut, "Password: ")
		restore, err := console.Hide(os.Stdin)
		if err != nil {
			return "", err
		}
		defer func() { _ = restore(); fmt.Fprintln(p.errOut) }()
		defer context.AfterFunc(ctx, func() { _ = restore() })() // the next interrupt ends the program here
	}
	line, err := bufio.NewReader(p.in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	if password := strings.TrimRight(line, "\r\n"); password != "" {
		return password, nil
	}
	return "", errors.New("no password was given on standard input")
}

func (p *program) accountDelete() *cobra.Command {
	var yes bool
	command := &cobra.Command{
		Use:   "delete NUMBER --yes",
		Short: "Delete a user with the session, all messages and all recordings",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !yes {
				return fmt.Errorf("this cannot be undone: say \"hark account delete %s --yes\"", args[0])
			}
			return p.withStores(cmd.Context(), func(s stores) error { return p.deleteAccount(cmd.Context(), s, args[0]) })
		},
	}
	command.Flags().BoolVar(&yes, "yes", false, "yes, delete it")
	return command
}

// deleteAccount deletes the recordings first and the account last, so that it can be said again when something fails.
func (p *program) deleteAccount(ctx context.Context, s stores, number string) error {
	if _, err := s.accounts.Get(ctx, number); err != nil {
		return nobody(number, err)
	}
	store, err := openAudioBeside(ctx, s.config)
	if err != nil {
		return err
	}
	defer store.Close()
	recordings, err := store.DeleteOwner(ctx, number)
	if err != nil {
		return err
	}
	if err := s.sessions.Purge(ctx, number); err != nil {
		return err
	}
	if err := s.accounts.Delete(ctx, number); err != nil {
		return err
	}
	fmt.Fprintf(p.out, "Deleted %s, all messages, and %d recordings.\n", number, recordings)
	return nil
}
