package app

import (
	"slices"
	"strings"
)

// Channel is a way by which reminders reach a person.
type Channel string

// The channels, in the order in which they are stored and shown.
const (
	ChannelMail    Channel = "mail"
	ChannelPush    Channel = "push"
	ChannelWebhook Channel = "webhook"
	ChannelStream  Channel = "stream"
)

// Channels are those that a person has chosen. Nil is no choice: webhooks and streams get
// every reminder, and it goes to the browsers that are subscribed or, without one, by mail.
type Channels []Channel

// AllChannels returns every channel.
func AllChannels() Channels {
	return Channels{ChannelMail, ChannelPush, ChannelWebhook, ChannelStream}
}

// ChannelsOf returns the channels with the names; false if one is unknown or there twice.
func ChannelsOf(names []string) (Channels, bool) {
	chosen := Channels{}
	for _, channel := range AllChannels() {
		if slices.Contains(names, string(channel)) {
			chosen = append(chosen, channel)
		}
	}
	return chosen, len(chosen) == len(names)
}

// Text returns the names, separated by spaces.
func (c Channels) Text() string {
	names := make([]string, len(c))
	for i, channel := range c {
		names[i] = string(channel)
	}
	return strings.Join(names, " ")
}

// Push reports whether a reminder goes to browsers, if there are some that are subscribed.
func (c Channels) Push() bool { return c == nil || slices.Contains(c, ChannelPush) }

// Mail reports whether a reminder goes out by mail.
func (c Channels) Mail(subscribed bool) bool {
	return c == nil && !subscribed || slices.Contains(c, ChannelMail)
}
