/*
 * Who may ask what on the control socket: roles that talk with strangers get no more of the sender
 * than they need, so that whoever takes one over cannot stop it, drop its queue or change its
 * limits.
 */
#include "base/log.h"
#include "base/text.h"
#include "send/control_parts.h"

#include <pwd.h>
#include <string.h>

#define USER_ROOM 4096 /* bytes of an entry of passwd */

static const char *const web_commands[] = {
	"letter.send",	   "letter.status",	 "letter.recipients", "campaign.create",
	"campaign.append", "campaign.close",	 "campaign.start",
	"campaign.pause",  "campaign.resume",	 "campaign.cancel",  "campaign.status",
	"campaign.report", "suppression.add",	 "suppression.remove", "suppression.show",
	"suppression.find", "suppression.list",	 "identity.show",    "status",
	"warmup.list",	   "log.show",
	"reader.put",
};

#define HOOK_USER "hook" /* of the appliance */
static const char *const hook_commands[] = { "log.show", "reader.list", "reader.put",
					     "reader.tested" };
#define WWW_USER "www" /* of the appliance: it reads our configuration, and asks nothing of us */
static const char *const receive_commands[] = { "inbound.report", "letter.send" };

static i64 number_of(const char *name)
{
	char room[USER_ROOM];
	struct passwd user;
	struct passwd *found = NULL;

	if (getpwnam_r(name, &user, room, sizeof(room), &found) == 0 && found)
		return user.pw_uid;
	log_debug("send", "no such user: nobody is held back for it", "user=%s", name);
	return -1;
}

void control_rights_find(struct control_rights *rights, const struct config *config)
{
	rights->web = number_of(config->web.user);
	rights->hook = number_of(HOOK_USER);
	rights->www = number_of(WWW_USER);
	rights->receive = config->receive.user ? number_of(config->receive.user) : -1;
}

static bool is_among(const char *command, const char *const *commands, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(commands[i], command) == 0)
			return true;
	}
	return false;
}

bool control_may(const struct control_rights *rights, u32 user, const char *command)
{
	if (rights->web == user)
		return is_among(command, web_commands, array_count(web_commands));
	if (rights->receive == user)
		return is_among(command, receive_commands, array_count(receive_commands));
	if (rights->www == user)
		return false;
	if (rights->hook == user)
		return is_among(command, hook_commands, array_count(hook_commands));
	return true;
}
