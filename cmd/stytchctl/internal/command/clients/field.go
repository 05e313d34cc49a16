package clients

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/stytchkit/m2m/cmd/stytchctl/internal/cli"
	"github.com/stytchkit/m2m/cmd/stytchctl/internal/inventory"
)

// A field is a flag that sets a field of a client or app.
type field struct {
	flag, name string
	value      valueKind
	usage      string
	in         when
}

type valueKind int

const (
	text     valueKind = iota
	list               // may be given several times
	document           // text or @file
	object             // JSON or @file
	minutes            // a duration of whole minutes
	yesNo
)

type when int

const (
	always when = iota
	creating
	updating
)

var clientFields = []field{
	{"name", "client_name", text, "display `name`", always},
	{"description", "client_description", text, "`text` that describes it", always},
	{"scope", "scopes", list, "`scope` that it may request; give it once for each", always},
	{"status", "status", text, "active or inactive; an inactive one gets no tokens: `status`", updating},
	{"metadata", "trusted_metadata", object, "trusted metadata: `JSON` object, @FILE or @- for stdin", always},
}

var appFields = []field{
	{"type", "client_type", text, "`type`: first_party, first_party_public, third_party or third_party_public", creating},
	{"name", "client_name", text, "display `name`, which users see", always},
	{"description", "client_description", text, "`text` that describes it", always},
	{"redirect-url", "redirect_urls", list, "`URL` to which an authorization may return; give it once for each", always},
	{"post-logout-redirect-url", "post_logout_redirect_urls", list, "`URL` to go to after a logout; give it once for each", always},
	{"token-expiry", "access_token_expiry_minutes", minutes, "`lifetime` of access tokens in whole minutes, such as 60m", always},
	{"audience", "access_token_custom_audience", text, "additional `audience` of access tokens", always},
	{"token-template", "access_token_template_content", document, "template of custom claims of access tokens: `text`, @FILE or @-", always},
	{"id-token-template", "id_token_template_content", document, "template of custom claims of ID tokens: `text`, @FILE or @-", always},
	{"logo-url", "logo_url", text, "`URL` of a logo for the consent screen", always},
	{"full-access", "full_access_allowed", yesNo, "the app may exchange its token for a session with all rights of the user", always},
	{"bypass-consent", "bypass_consent_for_offline_access", yesNo, "offline access needs no consent of the user", always},
}

// maxDocument bounds the files of flags. Stytch takes far less.
const maxDocument = 1 << 20

// register adds the flags that a creation or an update has.
func register(set *pflag.FlagSet, fields []field, now when) {
	for _, f := range fields {
		if f.in != always && f.in != now {
			continue
		}
		switch f.value {
		case text, document, object:
			set.String(f.flag, "", f.usage)
		case list:
			set.StringArray(f.flag, nil, f.usage)
		case minutes:
			set.Duration(f.flag, 0, f.usage)
		case yesNo:
			set.Bool(f.flag, false, f.usage)
		}
	}
}

// collect are the fields that the flags on the command line set.
func collect(app *cli.App, set *pflag.FlagSet, fields []field) (inventory.Object, error) {
	values := inventory.Object{}
	for _, f := range fields {
		if flag := set.Lookup(f.flag); flag == nil || !flag.Changed {
			continue
		}
		value, err := f.read(app, set)
		if err != nil {
			return nil, err
		}
		values.Set(f.name, value)
	}
	return values, nil
}

// read is the value of a flag that is given. Its type was checked when the flag was parsed.
func (f field) read(app *cli.App, set *pflag.FlagSet) (any, error) {
	switch f.value {
	case list:
		var err error
		values := set.Lookup(f.flag).Value.(pflag.SliceValue).GetSlice()
		if slices.Contains(values, "") {
			err = cli.Usagef("--%s: it must not be empty; to empty the whole field, use update --clear. Nothing was sent.", f.flag)
		}
		return values, err
	case minutes:
		d, err := set.GetDuration(f.flag)
		if err == nil && (d < time.Minute || d%time.Minute != 0) {
			err = cli.Usagef("--%s: it must be whole minutes, such as 60m. Nothing was sent.", f.flag)
		}
		return int64(d / time.Minute), err
	case yesNo:
		return set.GetBool(f.flag)
	}
	value, err := set.GetString(f.flag)
	if err != nil || f.value == text {
		return value, err
	}
	data, err := app.ReadArgument("--"+f.flag, value, maxDocument)
	if err != nil || f.value == document {
		return string(data), err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil || members == nil {
		return nil, cli.Usagef("--%s: it must be a JSON object. Nothing was sent.", f.flag)
	}
	return members, nil
}

// nameOf is the field for a name in --clear, which may also be that of its flag.
func nameOf(fields []field, name string) string {
	name = strings.TrimPrefix(name, "--")
	for _, f := range fields {
		if f.flag == name {
			return f.name
		}
	}
	return name
}
