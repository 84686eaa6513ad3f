package doctor

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"taskapi/app/replica"
	"taskapi/cmd/machine"
	"taskapi/cmd/settings"
)

// oldSnapshot is how old the newest snapshot of a replica may be: they are made once a day.
const oldSnapshot = 48 * time.Hour

// checkReplica asks the second place what can be restored from it.
func checkReplica(ctx context.Context, s settings.Settings, served bool, now time.Time) Finding {
	if s.ReplicateTo == "" {
		return okay("the database has no second place (--replicate-to)")
	}
	place, err := replica.Open(s.ReplicateTo, replica.Keys{ID: s.ReplicateKeyID, Secret: s.ReplicateSecret})
	if err != nil {
		return failure("%s can't be used: %v", s.ReplicateTo, err)
	}
	objects, err := replica.Look(ctx, place)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return failure("%s is not there; mount or make it, or name another place with --replicate-to", place)
	case err != nil:
		return failure("%s does not answer (%v); look at the network and at its keys", place, err)
	}
	if folder, ok := place.(*replica.Folder); ok {
		if free, err := machine.FreeBytes(folder.Path); err == nil && free < LeastFree {
			return failure("the disk of %s is as good as full, with %d MiB left; make room, until when the copy falls behind", place, free>>20)
		}
	}
	content := replica.Read(objects)
	recipe, err := content.Plan(time.Time{})
	snapshots := content.Snapshots()
	switch {
	case errors.Is(err, replica.ErrEmpty) && !served:
		return okay("%s is there and empty; \"taskapi serve\" fills it", place)
	case errors.Is(err, replica.ErrEmpty):
		return warning("%s has no whole copy yet; if that stays so, the server's log says why", place)
	case err != nil:
		return failure("%s can't be restored from: %v; stop the server, empty the place, and start it: it sends a new copy", place, err)
	case served && now.Sub(snapshots[len(snapshots)-1]) > oldSnapshot:
		return warning("the newest whole copy in %s is %s old; the server's log says why", place, now.Sub(snapshots[len(snapshots)-1]).Round(time.Minute))
	}
	return okay("%s holds the states from %s to %s", place, snapshots[0].Format(time.DateTime), recipe.At.Format(time.DateTime))
}
