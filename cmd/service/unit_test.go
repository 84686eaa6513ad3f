package service

import (
	"errors"
	"strings"
	"testing"
)

func TestUnitOfAProgram(t *testing.T) {
	text, err := Unit("/usr/local/bin/taskapi")
	if err != nil || !strings.Contains(text, "\nExecStart=/usr/local/bin/taskapi serve\n") || strings.Contains(text, packagedProgram+" ") {
		t.Error(err, text)
	}
	if text, err := Unit(packagedProgram); err != nil || text != unit {
		t.Error("the unit of the packages is another", err)
	}
	for _, hidden := range []string{"/home/ann/taskapi", "/root/taskapi", "/tmp/taskapi", "/opt/my tools/taskapi", "/opt/%n/taskapi", "taskapi"} {
		if _, err := Unit(hidden); !errors.Is(err, ErrPlace) {
			t.Errorf("%s: %v", hidden, err)
		}
	}
}
