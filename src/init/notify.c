#include "init/notify.h"

#include "base/text.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int notify_listen(const char *path, struct error *error)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int yes = 1;

	if (!slice_copy(address.sun_path, sizeof(address.sun_path), slice_of(path))) {
		error_set(error, "%s: the name is too long", path);
	} else if (fd >= 0) {
		unlink(path);
		/* The kernel says who wrote, so anybody may. */
		if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &yes, sizeof(yes)) == 0 &&
		    bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
		    chmod(path, 0666) == 0)
			return fd;
		error_set_errno(error, errno, "%s", path);
	} else {
		error_set_errno(error, errno, "%s", path);
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

static pid_t sender_of(struct msghdr *message)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part;
	     part = CMSG_NXTHDR(message, part)) {
		struct ucred peer;

		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_CREDENTIALS)
			continue;
		memcpy(&peer, CMSG_DATA(part), sizeof(peer));
		return peer.pid;
	}
	return 0;
}

static bool says_ready(struct slice text)
{
	while (text.ptr) {
		if (slice_equal(slice_split(&text, '\n'), SLICE("READY=1")))
			return true;
	}
	return false;
}

bool notify_take(int fd, pid_t *pid)
{
	char text[512];
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct iovec part = { text, sizeof(text) };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n < 0)
		return false;
	*pid = says_ready((struct slice){ text, (size_t)n }) ? sender_of(&message) : 0;
	return true;
}
