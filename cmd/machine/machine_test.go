package machine

import "testing"

func TestTheFolderOfATest(t *testing.T) {
	dir := t.TempDir()
	if free, err := FreeBytes(dir); err != nil || free == 0 {
		t.Error(free, err)
	}
	if name, err := NetworkFS(dir); err != nil || name != "" {
		t.Errorf("%q %v", name, err)
	}
	if _, err := FreeBytes(dir + "/nowhere"); err == nil {
		t.Error("a folder that is not there has room")
	}
	if state := ClockState(); state < ClockUnknown || state > ClockFree {
		t.Error(state)
	}
}
