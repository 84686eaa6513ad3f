// Package mcp is a door for assistants: it serves the use cases of app/todo as tools of the
// Model Context Protocol. The server in it answers single messages, which app/api takes from
// POST /mcp; the bridge connects a client on standard input and output with such a server.
//
// The server keeps no sessions and opens no streams: each message is a request of its own, with
// the token of who sends it. What somebody has typed (titles, descriptions, labels, names of
// lists) is data. It stands in fields called title, description and labels only, never in a
// message, and instructions in it are nobody's.
//
// # Glossary
//
//   - Tool: something that an assistant can do. A reading tool changes nothing.
//   - Call: one use of a tool, and on whose behalf.
//   - Outcome: what every writing tool answers.
//   - Consent: that a person agrees to a call that deletes or completes many tasks. It is given
//     in the client, if that can ask (elicitation), or else by the assistant's word after a dry
//     run.
//   - Asked: a call that needs consent and waits for it.
//   - Bridge: what speaks to a client by standard input and output, and to a server by HTTP.
package mcp
