#include "init/mail_in.h"

#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"

#include <sys/stat.h>

bool mail_in_is_wanted(struct mail_in *mail_in, const char *path)
{
	struct config config = { 0 };
	struct error error = { "" };
	struct mail_in now = { 0 };
	struct stat st;

	if (stat(path, &st) < 0) {
		*mail_in = now;
		return false;
	}
	now.inode = st.st_ino;
	now.size = (u64)st.st_size;
	now.changed_ns = (u64)st.st_ctim.tv_sec * NS_PER_S + (u64)st.st_ctim.tv_nsec;
	if (now.inode == mail_in->inode && now.size == mail_in->size &&
	    now.changed_ns == mail_in->changed_ns)
		return mail_in->is_wanted;
	/* The sender says what is wrong with it, where people look. */
	if (config_read(&config, path, &error))
		now.is_wanted = config.receive.hostname != NULL;
	else
		log_info("init", "no mail comes in", "reason=%s", error.text);
	config_free(&config);
	*mail_in = now;
	return now.is_wanted;
}
