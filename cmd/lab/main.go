// Command lab brings a whole Hark up on this machine, on real parts: an Asterisk, a Prosody, and hark itself, all on
// loopback, on free ports, in a folder of their own.
//
//	lab demo     plays the main job and checks every step
//	lab run      keeps the system up and tells how to call it
//	lab bench    measures
//
//	lab cluster-demo [-short]   kills and stops nodes of a cluster, and counts what its users missed: nothing
//	lab cluster-bench           measures how long a killed node's sessions are away, and what contacts see of restarts
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("lab", flag.ContinueOnError)
	hark := flags.String("hark", "bin/hark", "the hark program to run")
	keep := flags.String("keep", "", "keep everything (configuration, logs, sound) in this folder")
	pictures := flags.String("pictures", "", "draw the last scene of the demo into this folder, as web.png and wap.png")
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "usage: lab [-hark PROGRAM] [-keep FOLDER] [-pictures FOLDER] demo|run|bench [BENCH…]|cluster-demo [-short]|cluster-bench [-kills N] [-restarts N]")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	commands := map[string]func(context.Context, *lab, []string) error{"demo": demo, "run": keepRunning, "bench": bench, "cluster-demo": clusterDemo, "cluster-bench": clusterBench}
	command, known := commands[flags.Arg(0)]
	if !known {
		flags.Usage()
		return fmt.Errorf("%q is not a command", flags.Arg(0))
	}
	l := &lab{program: *hark, dir: *keep, pictures: *pictures, out: os.Stdout}
	return command(ctx, l, flags.Args()[1:])
}
