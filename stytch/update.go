package stytch

import (
	"reflect"

	"github.com/oapi-codegen/nullable"
)

// Set changes a field of an update to v, however empty v is: "", 0 and false are sent as they are, and a nil list, map or
// [Metadata] as an empty one. Metadata is merged, so that an empty one changes nothing.
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

// Clear sends null for a field of an update. What Stytch makes of it is not documented; an empty value by [Set] or [List]
// is the plain way to empty a field.
func Clear[T any]() nullable.Nullable[T] { return nullable.NewNullNullable[T]() }

// List replaces a list of an update as a whole. Without items it empties it.
func List[T any](items ...T) nullable.Nullable[[]T] { return Set(items) }
