#include "base/site_path.h"

#include "base/text.h"

bool site_name_is_valid(struct slice name, bool is_folder)
{
	if (is_folder && slice_equal(name, SLICE(".well-known")))
		return true;
	if (name.len == 0 || name.ptr[0] == '.' || name.ptr[0] == '-')
		return false;
	for (size_t i = 0; i < name.len; i++) {
		if (!ascii_is_alpha(name.ptr[i]) && !ascii_is_digit(name.ptr[i]) &&
		    name.ptr[i] != '.' && name.ptr[i] != '_' && name.ptr[i] != '-')
			return false;
	}
	return true;
}

bool site_path_is_valid(struct slice path)
{
	u32 depth = 1;

	if (path.len > SITE_PATH_MAX)
		return false;
	for (i64 at = slice_find_char(path, '/'); at >= 0; at = slice_find_char(path, '/')) {
		if (!site_name_is_valid(slice_first(path, (size_t)at), true))
			return false;
		path = slice_from(path, (size_t)at + 1);
		depth++;
	}
	return depth <= SITE_DEPTH_MAX && site_name_is_valid(path, false);
}
