package store

// Seal lets tests write values as a store does.
var Seal = seal
