package ivr

import (
	"slices"
	"sync"

	"hark/presence/wire"
	"hark/prompts"
)

// networks are the caller's external logins that are away. A presence server tells of them unasked, so they are
// written by the goroutine of news and read by the call's.
type networks struct {
	mu   sync.Mutex
	away []outage
}

// An outage is one external login that is away; told says that the caller knows.
type outage struct {
	wire.ServiceEvent
	told bool
}

// note takes in the state of a login. One that connects is neither there nor away yet.
func (n *networks) note(e wire.ServiceEvent) {
	n.mu.Lock()
	defer n.mu.Unlock()
	i := slices.IndexFunc(n.away, func(o outage) bool { return o.Network == e.Network })
	switch {
	case e.State == "connecting":
	case e.State == "online" && i >= 0:
		n.away = slices.Delete(n.away, i, i+1)
	case e.State == "online":
	case i >= 0:
		n.away[i].ServiceEvent = e
	default:
		n.away = append(n.away, outage{ServiceEvent: e})
	}
}

// news says, once for each, which logins are away.
func (n *networks) news() (list []phrase) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for i := range n.away {
		o := &n.away[i]
		if o.told {
			continue
		}
		o.told = true
		switch o.State {
		case "badcredentials":
			list = append(list, say("network.refused"))
		case "conflict":
			list = append(list, say("network.taken"))
		default:
			list = append(list, say("network.down", "time", prompts.Moment(o.Since)))
		}
	}
	return list
}
