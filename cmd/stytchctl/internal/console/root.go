package console

// Root is where the console is served. The admin API is below it, at v1/.
const Root = "/_emulator/"
