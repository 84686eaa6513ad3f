// Command ceiling is what the benchmarks are compared with:
//
//	constant FOLDER       bare Fiber with the same JWT check, answering a constant
//	statements FOLDER     the same SQLite statements in a loop, without HTTP
//
// Other words fill a database: see seed.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	jwtware "github.com/gofiber/contrib/jwt"
	"github.com/gofiber/fiber/v2"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/sqlite"
	"taskapi/app/todo"
	"taskapi/app/token"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "ceiling:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 2 && args[0] == "constant":
		return constant(args[1])
	case len(args) == 2 && args[0] == "statements":
		return statements(args[1])
	}
	return seed(args)
}

// constant takes the tokens of the server whose key is in the folder.
func constant(folder string) error {
	secret, err := os.ReadFile(filepath.Join(folder, "secret.key"))
	if err != nil {
		return err
	}
	access, err := token.NewAccess(bytes.TrimSpace(secret), 15*time.Minute, time.Now, rand.Reader)
	if err != nil {
		return err
	}
	server := fiber.New(fiber.Config{DisableStartupMessage: true, Immutable: true})
	server.Use(jwtware.New(jwtware.Config{KeyFunc: access.Keyfunc, Claims: &token.Claims{}}))
	answer := []byte(`{"id":1,"title":"one of many","description":"made by a benchmark","completed":false,"date_created":"2026-01-02T03:04:05.678Z","date_completed":null,"user_id":1}` + "\n")
	server.Get("/tasks/:id", func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderContentType, "application/json; charset=utf-8")
		return c.Send(answer)
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("ceiling is serving at http://%s\n", listener.Addr())
	return server.Listener(listener)
}

// statements prints "NAME PER-SECOND" lines.
func statements(folder string) error {
	schema, err := os.ReadFile("schema.sql")
	if err != nil {
		return err
	}
	for _, durability := range []sqlite.Durability{sqlite.Full, sqlite.Normal} {
		ctx := context.Background()
		db, err := sqlite.Open(ctx, sqlite.Options{Path: filepath.Join(folder, string(durability)+".db"), Schema: string(schema), Durability: durability})
		if err != nil {
			return err
		}
		user, err := db.CreateUser(ctx, app.Operator(), account.NewUser{
			Username: "bench", Email: "bench@example.com", Role: app.RoleUser, CreatedAt: time.Now(), PasswordHash: "$argon2id$not-used",
		}, account.Record{})
		if err != nil {
			return errors.Join(err, db.Close())
		}
		create := func() error {
			_, err := db.CreateTask(ctx, app.Operator(), todo.NewTask{UserID: user.ID, Title: "one of many", Description: "made by a benchmark", CreatedAt: time.Now()})
			return err
		}
		for _, clients := range []int{1, 64} {
			if err := loop(fmt.Sprintf("create-%s-%d", durability, clients), clients, create); err != nil {
				return errors.Join(err, db.Close())
			}
		}
		err = loop(fmt.Sprintf("read-%s-64", durability), 64, func() error {
			_, err := db.Task(ctx, app.Caller{UserID: user.ID}, todo.ByID(1))
			return err
		})
		if err := errors.Join(err, db.Close()); err != nil {
			return err
		}
	}
	return nil
}

func loop(name string, clients int, do func() error) error {
	const length = 3 * time.Second
	var group sync.WaitGroup
	var count atomic.Int64
	failed := make(chan error, clients)
	end := time.Now().Add(length)
	for range clients {
		group.Go(func() {
			for time.Now().Before(end) {
				if err := do(); err != nil {
					failed <- err
					return
				}
				count.Add(1)
			}
		})
	}
	group.Wait()
	close(failed)
	fmt.Printf("%s %d\n", name, int64(float64(count.Load())/length.Seconds()))
	return <-failed
}
