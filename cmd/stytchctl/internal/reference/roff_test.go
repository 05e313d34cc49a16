package reference

import (
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

func TestManPage(t *testing.T) {
	root := &cobra.Command{Use: "stytchctl"}
	root.PersistentFlags().Bool("quiet", false, "say less")
	cmd := &cobra.Command{
		Use: "try FILE", Short: "Try a file", Run: func(*cobra.Command, []string) {},
		Long:    "Reads C:\\temp.\n.hidden files too,\n'quoted' ones as well.\n\nOne of:\n\n  -a  first\n  -b  second\n\nThe end.",
		Example: "  stytchctl try .profile\n  .\\try",
	}
	cmd.Flags().StringP("name", "n", "x", "the `NAME` of it")
	cmd.Flags().Bool("secret", false, "not shown")
	if err := cmd.Flags().MarkHidden("secret"); err != nil {
		t.Fatal(err)
	}
	root.AddCommand(cmd)
	const want = `.TH "STYTCHCTL-TRY" 1 "Nov 2023" "stytchctl VERSION" "stytchctl"
.SH NAME
stytchctl\-try \- Try a file
.SH SYNOPSIS
.B stytchctl try FILE [flags]
.SH DESCRIPTION
Reads C:\etemp.
\&.hidden files too,
\&'quoted' ones as well.
.PP
One of:
.PP
.nf
  \-a  first
  \-b  second
.fi
.PP
The end.
.SH OPTIONS
.TP
.B \-n, \-\-name NAME
the NAME of it (default x)
.SH GLOBAL OPTIONS
.TP
.B \-\-quiet
say less
.SH EXAMPLES
.nf
stytchctl try .profile
\&.\etry
.fi
.SH SEE ALSO
.BR stytchctl (1)
`
	got := manPage(cmd, time.Unix(1700000000, 0).UTC())
	version := strings.SplitN(strings.SplitN(got, `"stytchctl `, 2)[1], `"`, 2)[0]
	if got = strings.Replace(got, version, "VERSION", 1); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
