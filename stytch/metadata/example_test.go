package metadata_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/stytchkit/m2m/stytch/metadata"
)

func Example() {
	var client struct {
		Metadata metadata.Object `json:"trusted_metadata"`
	}
	body := `{"trusted_metadata": {"plan":"free", "quota":9007199254740993, "old":true}}`
	if err := json.Unmarshal([]byte(body), &client); err != nil {
		panic(err)
	}

	// Into a type of one's own, or into a map.
	var settings struct{ Plan string }
	if err := client.Metadata.Decode(&settings); err != nil {
		panic(err)
	}
	all, err := client.Metadata.Map()
	if err != nil {
		panic(err)
	}
	fmt.Println(settings.Plan, all["quota"], slices.Sorted(maps.Keys(all)))

	// An update is merged: this sets plan and removes old.
	change, err := metadata.From(map[string]any{"plan": "pro", "old": nil})
	if err != nil {
		panic(err)
	}
	fmt.Println(change)
	// Output:
	// free 9007199254740993 [old plan quota]
	// {"old":null,"plan":"pro"}
}

// From a type of one's own. What is not an object is refused here, and not by Stytch.
func ExampleFrom() {
	object, err := metadata.From(struct {
		Plan  string `json:"plan"`
		Seats int    `json:"seats"`
	}{"pro", 12})
	fmt.Println(object, err)
	_, err = metadata.From([]string{"pro"})
	fmt.Println(err)
	// Output:
	// {"plan":"pro","seats":12} <nil>
	// metadata: must be a JSON object, got an array
}

// Absent metadata changes nothing, so a default stays.
func ExampleObject_Decode() {
	settings := struct{ Plan string }{"free"}
	var absent metadata.Object
	fmt.Println(absent.Decode(&settings), absent.IsZero(), settings.Plan)

	object, err := metadata.From(json.RawMessage(`{"plan":"pro","team":"payments"}`))
	if err != nil {
		panic(err)
	}
	fmt.Println(object.Decode(&settings), object.IsZero(), settings.Plan)
	// Output:
	// <nil> true free
	// <nil> false pro
}

// Two objects are equal whatever the order of their keys. Numbers are compared as written.
func ExampleObject_Equal() {
	object := func(text string) metadata.Object {
		o, err := metadata.From(json.RawMessage(text))
		if err != nil {
			panic(err)
		}
		return o
	}
	fmt.Println(object(`{"a":1, "b":2}`).Equal(object(`{"b":2,"a":1}`)))
	fmt.Println(object(`{"a":1}`).Equal(object(`{"a":1.0}`)))
	// Output:
	// true
	// false
}
