#include "base/appliance.h"

#include "base/appliance_table.h"
#include "base/check.h"
#include "base/durable.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_CHUNK (16 * 1024)
/* A one-letter value takes 32 bytes here; what the console sets is never taken back. */
#define ARENA_MAX (64 * APPLIANCE_FILE_MAX)

/* What may be absent is NULL then, whether the file has "" or nothing. */
static void drop_empty(const char **text)
{
	if (*text && **text == '\0')
		*text = NULL;
}

static void drop_empty_texts(struct appliance_interface *interface)
{
	drop_empty(&interface->gateway);
	drop_empty(&interface->gateway6);
	drop_empty(&interface->match_mac);
}

/* The fallbacks of a section, for what has no file; options without one stay as they are. */
static bool fill_fallbacks(const struct config_section *section, void *out, struct arena *arena,
			   struct error *error)
{
	struct error unused;
	struct config_file none = { .name = "", .root = section, .error = &unused };

	for (size_t i = 0; i < section->option_count; i++) {
		struct config_section one = *section;

		one.options = &section->options[i];
		one.option_count = 1;
		if (one.options->fallback && !config_file_fill_fallbacks(&none, &one, out, arena))
			return error_set(error, "out of memory");
	}
	return true;
}

bool appliance_defaults(struct appliance *appliance, struct error *error)
{
	*appliance = (struct appliance){ .hostname = NULL };
	arena_init(&appliance->arena, ARENA_CHUNK, ARENA_MAX);
	if (fill_fallbacks(&appliance_section_root, appliance, &appliance->arena, error) &&
	    fill_fallbacks(&appliance_section_ssh, appliance, &appliance->arena, error))
		return true;
	appliance_free(appliance);
	return false;
}

void appliance_free(struct appliance *appliance)
{
	if (appliance->arena.max > 0)
		arena_done(&appliance->arena);
	*appliance = (struct appliance){ .hostname = NULL };
}

/* ---- the file ---- */

static bool read_interface(struct config_file *file, struct cfg_t *at, enum appliance_kind kind,
			   struct appliance *appliance)
{
	struct appliance_interface *interface;
	const char *name = appliance_shape_interface(&appliance->arena,
						     slice_of(config_file_title(at)));

	if (appliance->interface_count == APPLIANCE_INTERFACES_MAX)
		return config_file_refuse(file, at, NULL, "more than %d interfaces",
					  APPLIANCE_INTERFACES_MAX);
	if (!name)
		return config_file_refuse(file, at, NULL,
					  "its title is not an interface's name of at most %d "
					  "letters, digits, '.', '-' and '_'",
					  APPLIANCE_NAME_MAX);
	interface = &appliance->interfaces[appliance->interface_count++];
	*interface = (struct appliance_interface){ .name = name, .kind = kind };
	if (!config_file_fill(file, at, appliance_section_of(kind), CONFIG_FILL_ALL, interface,
			      &appliance->arena))
		return false;
	drop_empty_texts(interface);
	return true;
}

/* The section that holds the interface; interfaces stand in the order in which they were read. */
static struct cfg_t *find_section(struct config_file *file, const struct appliance *appliance,
				  const struct appliance_interface *interface)
{
	size_t before = 0;

	for (const struct appliance_interface *i = appliance->interfaces; i < interface; i++)
		before += i->kind == interface->kind;
	return config_file_at(file->tree, appliance_section_of(interface->kind)->name, before);
}

static bool read_sections(struct config_file *file, struct appliance *appliance)
{
	struct cfg_t *ssh = config_file_at(file->tree, "ssh", 0);
	struct appliance_fault fault;

	if (ssh ? !config_file_fill(file, ssh, &appliance_section_ssh, CONFIG_FILL_ALL, appliance,
				    &appliance->arena)
		: !config_file_fill_fallbacks(file, &appliance_section_ssh, appliance,
					      &appliance->arena))
		return false;
	for (enum appliance_kind kind = APPLIANCE_ETHERNET; kind <= APPLIANCE_BOND; kind++) {
		const char *name = appliance_section_of(kind)->name;
		size_t count = config_file_count(file->tree, name);

		for (size_t i = 0; i < count; i++) {
			if (!read_interface(file, config_file_at(file->tree, name, i), kind,
					    appliance))
				return false;
		}
	}
	if (appliance_is_sound(appliance, &fault))
		return true;
	return config_file_refuse(file, find_section(file, appliance, fault.interface),
				  fault.option, "%s", fault.text);
}

bool appliance_parse(struct appliance *appliance, struct slice text, const char *name,
		     struct error *error)
{
	struct config_file file = { .tree = NULL };
	bool done;

	*appliance = (struct appliance){ .given = true };
	arena_init(&appliance->arena, ARENA_CHUNK, ARENA_MAX);
	done = config_file_open(&file, &appliance_section_root, text, APPLIANCE_FILE_MAX, name,
				error) &&
	       config_file_fill(&file, file.tree, &appliance_section_root, CONFIG_FILL_ALL,
				appliance, &appliance->arena) &&
	       read_sections(&file, appliance);
	drop_empty(&appliance->domain);
	config_file_close(&file);
	if (!done)
		appliance_free(appliance);
	return done;
}

bool appliance_read(struct appliance *appliance, const char *path, struct error *error)
{
	struct slice text;
	bool done;

	*appliance = (struct appliance){ .hostname = NULL };
	if (!file_read(path, APPLIANCE_FILE_MAX, &text, error))
		return errno == ENOENT && appliance_defaults(appliance, error);
	done = appliance_parse(appliance, text, path, error);
	free((char *)text.ptr);
	return done;
}

bool appliance_write(const struct appliance *appliance, const char *path, struct error *error)
{
	struct buf text;
	bool done = false;

	buf_init(&text, APPLIANCE_FILE_MAX);
	appliance_format(appliance, &text);
	if (!appliance_check(appliance, error))
		done = false;
	else if (text.failed)
		error_set(error, "%s: longer than %u bytes, or out of memory", path,
			  APPLIANCE_FILE_MAX);
	else
		done = durable_replace(path, buf_slice(&text), 0640, error);
	buf_done(&text);
	return done;
}

/* ---- single options ---- */

static const struct config_option *find_option(const struct config_section *section,
					       const char *name)
{
	for (size_t i = 0; i < section->option_count; i++) {
		if (strcmp(section->options[i].name, name) == 0)
			return &section->options[i];
	}
	return NULL;
}

/* The table row of an option and the struct it is a field of. */
static const struct config_option *locate(struct appliance *appliance, const char *section,
					  const char *name, void **base, struct error *error)
{
	const struct config_section *table = &appliance_section_root;
	const struct config_option *option;

	*base = appliance;
	if (section && strcmp(section, "ssh") == 0) {
		table = &appliance_section_ssh;
	} else if (section) {
		struct appliance_interface *interface = appliance_find(appliance, section);

		*base = interface;
		if (!interface) {
			error_set(error, "no interface \"%s\"", section);
			return NULL;
		}
		table = appliance_section_of(interface->kind);
	}
	option = find_option(table, name);
	if (!option)
		error_set(error, "%s%sno such option '%s'", section ? section : "",
			  section ? ": " : "", name);
	return option;
}

static bool refuse_value(const char *section, const char *option, struct slice value,
			 const char *expects, struct error *error)
{
	return error_set(error, "%s%s%s: \"%.*s\" is not %s", section ? section : "",
			 section ? ": " : "", option, (int)min_size(value.len, 80), value.ptr,
			 expects);
}

/* One item behind those of the list, unless it is there. */
static bool append(struct appliance *appliance, struct config_list *list,
		   const struct config_option *option, const char *section, struct slice item,
		   struct error *error)
{
	struct config_why why;
	const char **items;
	const char *shaped;

	if (!config_value(option, item, &shaped, &appliance->arena, &why))
		return refuse_value(section, option->name, item, why.text, error);
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i], shaped) == 0)
			return true;
	}
	if (list->count == CONFIG_LIST_MAX)
		return error_set(error, "%s: more than %d items", option->name, CONFIG_LIST_MAX);
	items = arena_take(&appliance->arena, (list->count + 1) * sizeof(*items));
	if (!items)
		return error_set(error, "out of memory");
	if (list->count > 0)
		memcpy(items, list->items, list->count * sizeof(*items));
	items[list->count] = shaped;
	*list = (struct config_list){ items, list->count + 1 };
	return true;
}

bool appliance_set(struct appliance *appliance, const char *section, const char *name,
		   struct slice value, struct error *error)
{
	struct config_list list = { NULL, 0 };
	struct config_why why;
	const char *text;
	void *base;
	const struct config_option *option = locate(appliance, section, name, &base, error);
	void *field;

	if (!option)
		return false;
	field = (char *)base + option->offset;
	value = slice_trim(value);
	if (option->kind == CONFIG_LIST) {
		if (value.len == 0 && option->fallback && option->fallback[0] != '\0')
			return error_set(error, "%s: at least one is needed", name);
		while (value.len > 0) {
			struct slice item = slice_trim(slice_split(&value, ','));

			if (!append(appliance, &list, option, section, item, error))
				return false;
		}
		memcpy(field, &list, sizeof(list));
		return true;
	}
	if (option->kind != CONFIG_TEXT)
		return config_value(option, value, field, &appliance->arena, &why) ||
		       refuse_value(section, name, value, why.text, error);
	if (!config_value(option, value, &text, &appliance->arena, &why))
		return refuse_value(section, name, value, why.text, error);
	drop_empty(&text);
	memcpy(field, &text, sizeof(text));
	return true;
}

bool appliance_add(struct appliance *appliance, const char *section, const char *name,
		   struct slice item, struct error *error)
{
	struct config_list list;
	void *base;
	const struct config_option *option = locate(appliance, section, name, &base, error);
	void *field;

	if (!option)
		return false;
	ASSERT(option->kind == CONFIG_LIST);
	field = (char *)base + option->offset;
	memcpy(&list, field, sizeof(list));
	if (!append(appliance, &list, option, section, slice_trim(item), error))
		return false;
	memcpy(field, &list, sizeof(list));
	return true;
}

struct appliance_interface *appliance_find(struct appliance *appliance, const char *name)
{
	for (size_t i = 0; i < appliance->interface_count; i++) {
		if (strcmp(appliance->interfaces[i].name, name) == 0)
			return &appliance->interfaces[i];
	}
	return NULL;
}

struct appliance_interface *appliance_interface(struct appliance *appliance,
						enum appliance_kind kind, const char *name,
						struct error *error)
{
	struct appliance_interface *interface = appliance_find(appliance, name);
	const char *shaped;

	if (interface)
		return interface;
	shaped = appliance_shape_interface(&appliance->arena, slice_of(name));
	if (!shaped) {
		error_set(error, "\"%.80s\" is not an interface's name", name);
		return NULL;
	}
	if (appliance->interface_count == APPLIANCE_INTERFACES_MAX) {
		error_set(error, "more than %d interfaces", APPLIANCE_INTERFACES_MAX);
		return NULL;
	}
	interface = &appliance->interfaces[appliance->interface_count];
	*interface = (struct appliance_interface){ .name = shaped, .kind = kind };
	if (!fill_fallbacks(appliance_section_of(kind), interface, &appliance->arena, error))
		return NULL;
	appliance->interface_count++;
	return interface;
}

void appliance_remove(struct appliance *appliance, const char *name)
{
	struct appliance_interface *interface = appliance_find(appliance, name);
	size_t behind;

	if (!interface)
		return;
	behind = (size_t)(&appliance->interfaces[--appliance->interface_count] - interface);
	memmove(interface, interface + 1, behind * sizeof(*interface));
}
