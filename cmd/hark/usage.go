package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// With onlyBelow instead of runnable, Cobra's usage does not say of a command with others below it that it runs by itself.
const runnable, onlyBelow = "{{if .Runnable}}", "{{if and .Runnable (not .HasAvailableSubCommands)}}"

// group marks the commands that only have others below them.
const group = "group"

// misused is an error of whoever wrote the command line.
type misused struct{ error }

// exitStatus is what the process ends with after an error: 2 for wrong usage, as Unix commands do, else 1.
func exitStatus(err error) int {
	if errors.As(err, new(misused)) {
		return 2
	}
	return 1
}

// explainMisuse has a command and all below it tell how they are used when they are given wrong options or arguments.
// One that only has others below it refuses a word that is none of them; Cobra would print its help, and call that success.
func explainMisuse(command *cobra.Command) {
	command.SetFlagErrorFunc(misuse)
	command.SuggestionsMinimumDistance = 2
	command.Args = explained(command.Args)
	command.PreRunE = explained(func(cmd *cobra.Command, _ []string) error { return cmd.ValidateRequiredFlags() })
	template := new(cobra.Command).UsageTemplate()
	if command.HasSubCommands() && !command.Runnable() {
		template = strings.ReplaceAll(template, runnable, onlyBelow)
		command.Annotations = map[string]string{group: "yes"}
		command.Args = subcommand
		command.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
	command.SetUsageTemplate(template)
	for _, below := range command.Commands() {
		explainMisuse(below)
	}
}

// explained is check with the usage behind its error.
func explained(check cobra.PositionalArgs) cobra.PositionalArgs {
	if check == nil {
		return nil
	}
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return misuse(cmd, err)
		}
		return nil
	}
}

// misuse adds to an error how the command is used.
func misuse(cmd *cobra.Command, err error) error {
	usage := strings.TrimSuffix(cmd.UseLine(), " [flags]")
	if cmd.Annotations[group] != "" {
		usage += " COMMAND"
	}
	return misused{fmt.Errorf("%w\nusage: %s; \"%s --help\" tells more", err, usage, cmd.CommandPath())}
}

// subcommand refuses what is no command below this one, and tells what was perhaps meant.
func subcommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	err := fmt.Errorf("there is no command %q below %q", args[0], cmd.CommandPath())
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		err = fmt.Errorf("%w; did you mean %s?", err, strings.Join(near, " or "))
	}
	return misuse(cmd, err)
}
