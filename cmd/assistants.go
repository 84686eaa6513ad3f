package cmd

import (
	"taskapi/app"
	"taskapi/app/api"
	"taskapi/app/mcp"
)

// assistants adds the door for assistants to what a server is made of.
func (a *application) assistants(config *api.Config) {
	door := mcp.Config{Version: a.build.Version, Tasks: config.Tasks, Lists: config.Lists, Sync: config.Sync, Answers: config.Answers, Now: a.clock.Now, Log: config.Log}
	if config.Limiter != nil {
		door.Limiter = &app.Limiter{Now: a.clock.Now, Max: limiterKeys}
	}
	config.MCP = mcp.New(door).Answer
}
