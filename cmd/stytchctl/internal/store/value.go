package store

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// checksum finds values that changed on the disk: bbolt protects only its own first pages.
var checksum = crc32.MakeTable(crc32.Castagnoli)

// seal puts the checksum before a value.
func seal(value []byte) []byte {
	sealed := make([]byte, 4, 4+len(value))
	binary.BigEndian.PutUint32(sealed, crc32.Checksum(value, checksum))
	return append(sealed, value...)
}

// unseal checks and removes the checksum. The value is a part of sealed.
func unseal(sealed []byte) ([]byte, error) {
	if len(sealed) < 4 {
		return nil, errors.New("a value is cut short")
	}
	value := sealed[4:]
	if crc32.Checksum(value, checksum) != binary.BigEndian.Uint32(sealed) {
		return nil, errors.New("a value does not fit its checksum")
	}
	return value, nil
}
