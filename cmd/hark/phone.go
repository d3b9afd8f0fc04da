package main

import "github.com/spf13/cobra"

func (p *program) phoneCommand() *cobra.Command { return &cobra.Command{Use: "phone"} }
