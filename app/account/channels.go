package account

import "taskapi/app"

// channels reads the channels of reminders. Returns nil if the request leaves them as they
// are; null is the usual ones.
func channels(p app.Problems, field app.Field[[]string]) *app.Channels {
	switch field.State {
	case app.Absent:
		return nil
	case app.Null:
		return new(app.Channels)
	}
	chosen, ok := app.ChannelsOf(field.Value)
	if field.State == app.Mistyped || !ok {
		p.Add("reminder_channels", "The field reminder_channels may hold mail, push, webhook and stream, each once.")
	}
	return &chosen
}
