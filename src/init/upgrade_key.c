#include "base/text.h"
#include "init/upgrade_parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define PEM_MAX 4096

static struct crypto_public_key *load(int folder, const char *name, struct error *error)
{
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
	struct crypto_public_key *key = NULL;
	char pem[PEM_MAX];
	ssize_t n;

	if (fd < 0) {
		error_set_errno(error, errno, "%s", name);
		return NULL;
	}
	n = read(fd, pem, sizeof(pem));
	if (n < 0)
		error_set_errno(error, errno, "%s", name);
	else if (!(key = crypto_public_key_from_pem((struct slice){ pem, (size_t)n }, error)))
		error_prefix(error, "%s", name);
	close(fd);
	return key;
}

/* A name that ends in .pem, cut off there. */
static bool is_key_name(const char *file, char name[UPGRADE_KEY_NAME_MAX])
{
	const struct slice suffix = SLICE(".pem");
	struct slice s = slice_of(file);

	return s.len > suffix.len && slice_equal(slice_from(s, s.len - suffix.len), suffix) &&
	       slice_copy(name, UPGRADE_KEY_NAME_MAX, slice_first(s, s.len - suffix.len));
}

bool upgrade_key_find(const char *folder, struct slice message,
		      const u8 signature[CRYPTO_ED25519_SIGNATURE],
		      char name[UPGRADE_KEY_NAME_MAX], struct error *error)
{
	DIR *files = opendir(folder);
	struct dirent *file;
	bool found = false;
	u32 keys = 0;

	if (!files)
		return error_set_errno(error, errno, "%s: no release keys", folder);
	/* A key that cannot be read is as good as none: others may have signed. */
	error_set(error, "%s: no release keys", folder);
	while (!found && (file = readdir(files))) {
		struct crypto_public_key *key;

		if (!is_key_name(file->d_name, name))
			continue;
		key = load(dirfd(files), file->d_name, error);
		if (!key)
			continue;
		keys++;
		found = crypto_verify(key, message, signature);
		crypto_public_key_free(key);
	}
	closedir(files);
	if (!found && keys > 0)
		error_set(error, "the bundle is not signed by a release key of this system, "
			  "or was changed since");
	return found;
}
