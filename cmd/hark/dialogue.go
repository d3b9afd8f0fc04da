package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"hark/ivr"
	"hark/prompts"
)

func (p *program) dialogueCommand() *cobra.Command {
	var language, dir string
	command := &cobra.Command{
		Use:   "dialogue",
		Short: "Print what callers hear and what keys do, state by state",
		Long: `Print the telephone's dialogue: each state with its words, its keys, and where they lead. It is printed from the data
that calls run on, with the texts of --dir laid over the built-in ones, as prompts.dir does for a running Hark.`,
		Example: `  hark dialogue --language de | less`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			book, err := bookIn(language, dir)
			if err != nil {
				return err
			}
			return ivr.PrintDialogue(p.out, ivr.Settings{}, func(id string) string { return book.Written(language, id) })
		},
	}
	command.Flags().StringVar(&language, "language", "en", "language of the texts")
	command.Flags().StringVar(&dir, "dir", "", "folder with an administrator's own texts")
	return command
}

// bookIn reads the texts, the built-in ones with those of the folders laid over them, which must be there in a language.
func bookIn(language string, folders ...string) (*prompts.Book, error) {
	book, err := prompts.LoadBook(nil, folders...)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(book.Languages(), language) {
		return nil, fmt.Errorf("there is no language %q; there are %s", language, strings.Join(book.Languages(), ", "))
	}
	return book, nil
}
