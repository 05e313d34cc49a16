package stytch

import (
	"reflect"

	"github.com/oapi-codegen/nullable"
)

// Set sets a field of an update to v, also if v is "", 0 or false. A nil list, map or [Metadata] is
// sent as an empty one. Metadata is merged, so an empty one changes nothing.
func Set[T any](v T) nullable.Nullable[T] {
	switch value := reflect.ValueOf(&v).Elem(); {
	case value.Type() == reflect.TypeFor[Metadata]() && value.Len() == 0:
		value.SetBytes([]byte("{}"))
	case value.Kind() == reflect.Slice && value.IsNil():
		value.Set(reflect.MakeSlice(value.Type(), 0, 0))
	case value.Kind() == reflect.Map && value.IsNil():
		value.Set(reflect.MakeMap(value.Type()))
	}
	return nullable.NewNullableWithValue(v)
}

// Clear sends null for a field of an update. Stytch does not document what that does; to empty a
// field, use [Set] or [List] with an empty value.
func Clear[T any]() nullable.Nullable[T] { return nullable.NewNullNullable[T]() }

// List replaces a whole list in an update. Without items, the list becomes empty.
func List[T any](items ...T) nullable.Nullable[[]T] { return Set(items) }
