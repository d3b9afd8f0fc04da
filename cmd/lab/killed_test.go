package main

import (
	"context"
	"flag"
	"strings"
	"testing"
	"time"

	"hark/internal/sipphone"
	"hark/internal/testbed"
	"hark/prompts"
)

var killIn = flag.String("kill-in", "home record", `where TestHarkKilled kills Hark: names of deaths, or "all", which takes two minutes`)

// A death is a place in a call at which Hark is killed, and what its caller hears when it is back.
type death struct {
	name  string
	reach func(context.Context, *caller, victims)
	then  func(context.Context, *caller, victims)
}

// victims are the users in the calls.
type victims struct{ ana, carla user }

var deaths = []death{
	{"number", hearsLogin, hearsLogin},
	{"PIN", func(ctx context.Context, c *caller, v victims) {
		hearsLogin(ctx, c, v)
		c.presses(ctx, v.ana.Number+"#", "the number")
		c.hears(ctx, "login.pin", nil)
		c.presses(ctx, v.ana.PIN[:2], "two digits of the PIN")
	}, func(ctx context.Context, c *caller, v victims) {
		login(ctx, c, v.ana)
		hearsHome(ctx, c)
	}},
	{"home", reachHome, func(ctx context.Context, c *caller, v victims) {
		c.hears(ctx, "adopted", nil)
		hearsHome(ctx, c)
	}},
	{"settings", func(ctx context.Context, c *caller, v victims) {
		reachHome(ctx, c, v)
		c.presses(ctx, "44", "44, for the settings")
		c.hears(ctx, "settings.key.pin", nil)
	}, func(ctx context.Context, c *caller, v victims) {
		c.hears(ctx, "adopted", nil)
		c.hears(ctx, "settings.key.pin", nil)
	}},
	{"who", func(ctx context.Context, c *caller, v victims) {
		reachHome(ctx, c, v)
		c.presses(ctx, "2", "2, to send a message")
		c.hears(ctx, "who", nil)
	}, func(ctx context.Context, c *caller, v victims) {
		c.hears(ctx, "adopted", nil)
		hearsHome(ctx, c)
	}},
	{"record", func(ctx context.Context, c *caller, v victims) {
		reachHome(ctx, c, v)
		c.presses(ctx, "2", "2, to send a message")
		c.presses(ctx, v.carla.Number+"#1", "Carla's number, and 1")
		c.hears(ctx, "record", nil)
		c.do("speaks", func() error {
			time.Sleep(time.Second) // the tone
			return c.call.SpeakPCM(ctx, sipphone.Tone(anaTone, 4*time.Second))
		})
	}, func(ctx context.Context, c *caller, v victims) {
		c.hears(ctx, "adopted", nil)
		c.hears(ctx, "record.broken", nil)
		c.hears(ctx, "review.key.1", nil)
		c.presses(ctx, "1", "1")
		c.hears(ctx, "sent", nil)
	}},
	{"reader", func(ctx context.Context, c *caller, v victims) {
		reachHome(ctx, c, v)
		c.presses(ctx, "1", "1, to hear the message")
		c.hearsTone(ctx, carlaTone, time.Second)
	}, func(ctx context.Context, c *caller, v victims) {
		c.hears(ctx, "adopted", nil)
		c.hears(ctx, "reader.resume", nil)
		c.hearsTone(ctx, carlaTone, time.Second)
	}},
}

func hearsLogin(ctx context.Context, c *caller, _ victims) { c.hears(ctx, "login.number", nil) }

func hearsHome(ctx context.Context, c *caller) {
	c.hears(ctx, "home.new", prompts.Args{"count": 1})
}

func reachHome(ctx context.Context, c *caller, v victims) {
	login(ctx, c, v.ana)
	hearsHome(ctx, c)
}

// TestHarkKilled kills Hark with SIGKILL in real calls, starts it again, and listens to how they go on: where they were,
// without number and PIN, but for those who had not keyed them yet.
func TestHarkKilled(t *testing.T) {
	ctx := t.Context()
	s, err := (&lab{program: buildHark(t), out: lines{t}}).startWith(ctx, setup{asterisk: &testbed.AsteriskOptions{}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.stop()
	var v victims
	if v.ana, err = s.addUser(ctx, "Ana", "", ""); err != nil {
		t.Fatal(err)
	}
	if v.carla, err = s.addUser(ctx, "Carla", "", ""); err != nil {
		t.Fatal(err)
	}
	if err := s.startHark(ctx); err != nil {
		t.Fatal(err)
	}
	voice, err := newVoice(ctx, speechCache(s.dir))
	if err != nil {
		t.Fatal(err)
	}
	defer voice.speaker.Close()
	p := &play{system: s, lab: &lab{out: lines{t}}, voice: voice, ana: v.ana, carla: v.carla, started: time.Now()}
	if err := p.carlaLeavesVoice(ctx); err != nil {
		t.Fatal(err)
	}
	for _, d := range deaths {
		if *killIn == "all" || strings.Contains(*killIn, d.name) {
			if err := s.dies(ctx, voice, d, v, lines{t}); err != nil {
				text, _ := s.logged()
				t.Fatalf("%s: %v\n%s", d.name, err, text)
			}
		}
	}
}

// dies plays one death.
func (s *system) dies(ctx context.Context, speech voice, d death, v victims, out lines) error {
	c, err := s.dial(ctx, speech, "Ana", "5550001", out)
	if err != nil {
		return err
	}
	defer c.hangsUp(ctx)
	if d.reach(ctx, c, v); c.err != nil {
		return c.err
	}
	c.tell("Hark is killed in %s", d.name)
	_ = s.hark.Process.Kill()
	<-s.gone
	if err := s.startHark(ctx); err != nil {
		return err
	}
	c.tell("Hark is back")
	d.then(ctx, c, v)
	return c.err
}
