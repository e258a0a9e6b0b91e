/* Words of the kernel's command line: what an installation that nobody attends is told. */
#include "base/appliance_table.h"

#include "base/text.h"

#define WORD_MAX 4096
#define PREFIX SLICE("hikyaku.")
#define FIRST_INTERFACE "eth0"

/* Where an option stands whose word has another name, or does not tell its section. */
static const struct alias {
	const char *word;
	const char *section; /* "": the interface that the words are about */
	const char *option;
} aliases[] = {
	{ "dns", NULL, "resolvers" },	 { "ssh-listen", "ssh", "listen" },
	{ "address", "", "addresses" },	 { "addresses", "", "addresses" },
	{ "method", "", "method" },	 { "ipv6", "", "ipv6" },
	{ "gateway", "", "gateway" },	 { "gateway6", "", "gateway6" },
	{ "mtu", "", "mtu" },		 { "match-mac", "", "match-mac" },
};

/* Those that are not for us. */
static bool is_foreign(struct slice name)
{
	return slice_equal(name, SLICE("slot")) || slice_equal(name, SLICE("trial")) ||
	       slice_equal(name, SLICE("repair")) || slice_has_prefix(name, SLICE("test"));
}

/*
 * The next word without its quotes, which may stand anywhere in it and hold spaces. False: there is
 * none. `fits` tells whether it is whole.
 */
static bool next_word(struct slice *rest, char word[WORD_MAX], size_t *len, bool *fits)
{
	bool quoted = false;
	size_t at = 0;

	*len = 0;
	*fits = true;
	while (at < rest->len && (rest->ptr[at] == ' ' || rest->ptr[at] == '\n'))
		at++;
	if (at == rest->len)
		return false;
	for (; at < rest->len; at++) {
		char c = rest->ptr[at];

		if (!quoted && (c == ' ' || c == '\n'))
			break;
		if (c == '"')
			quoted = !quoted;
		else if (*len + 1 < WORD_MAX)
			word[(*len)++] = c;
		else
			*fits = false;
	}
	word[*len] = '\0';
	*rest = slice_from(*rest, at);
	return true;
}

/* "ssh-ed25519,AAAA...,name": commas where a line of keys has spaces. */
static bool add_key(struct appliance *appliance, char *value, size_t len, struct error *error)
{
	for (size_t i = 0; i < len; i++) {
		if (value[i] == ',')
			value[i] = ' ';
	}
	return appliance_add(appliance, "ssh", "keys", (struct slice){ value, len }, error);
}

static bool is_ipv4_among(const struct config_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		if (slice_find_char(slice_of(list->items[i]), ':') < 0)
			return true;
	}
	return false;
}

static bool set_interface(struct appliance *appliance, const char *name, const char *option,
			  struct slice value, struct error *error)
{
	struct appliance_interface *interface =
		appliance_interface(appliance, APPLIANCE_ETHERNET, name, error);

	if (!interface || !appliance_set(appliance, name, option, value, error))
		return false;
	if (slice_equal(slice_of(option), SLICE("addresses")) &&
	    is_ipv4_among(&interface->addresses))
		interface->method = APPLIANCE_STATIC;
	return true;
}

static bool apply(struct appliance *appliance, char interface[APPLIANCE_NAME_MAX + 1], char *name,
		  char *value, size_t len, struct error *error)
{
	struct slice text = { value, len };

	if (slice_equal(slice_of(name), SLICE("interface")))
		return (slice_copy(interface, APPLIANCE_NAME_MAX + 1, text) &&
			appliance_interface(appliance, APPLIANCE_ETHERNET, interface, error)) ||
		       error_set(error, "not an interface's name");
	if (slice_equal(slice_of(name), SLICE("ssh-key")))
		return add_key(appliance, value, len, error);
	for (size_t i = 0; i < array_count(aliases); i++) {
		const struct alias *alias = &aliases[i];

		if (!slice_equal(slice_of(name), slice_of(alias->word)))
			continue;
		if (alias->section && alias->section[0] == '\0')
			return set_interface(appliance, interface, alias->option, text, error);
		return appliance_set(appliance, alias->section, alias->option, text, error);
	}
	return appliance_set(appliance, NULL, name, text, error);
}

static bool apply_all(struct appliance *appliance, struct slice rest, struct error *error)
{
	char interface[APPLIANCE_NAME_MAX + 1] = FIRST_INTERFACE;
	char word[WORD_MAX];
	size_t len;
	bool fits;

	while (next_word(&rest, word, &len, &fits)) {
		struct slice value = { word, len };
		struct slice name = slice_split(&value, '=');

		if (!slice_has_prefix(name, PREFIX))
			continue;
		name = slice_from(name, PREFIX.len);
		if (is_foreign(name))
			continue;
		if (!fits || !value.ptr)
			return error_set(error, "%.60s: %s", word,
					 fits ? "no value" : "the word is too long");
		word[name.ptr + name.len - word] = '\0';
		if (!apply(appliance, interface, word + PREFIX.len, word + (value.ptr - word),
			   value.len, error))
			return error_prefix(error, "%s", word);
		appliance->given = true;
	}
	return appliance_check(appliance, error);
}

bool appliance_overlay(struct appliance *appliance, struct slice command_line, struct error *error)
{
	struct appliance before = *appliance;

	if (apply_all(appliance, command_line, error))
		return true;
	/* What the arena took meanwhile stays its own. */
	before.arena = appliance->arena;
	*appliance = before;
	return error_prefix(error, "kernel command line");
}
