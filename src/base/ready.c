#include "base/ready.h"

#include "base/text.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

bool ready_tell(void)
{
	static const char message[] = "READY=1";
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	socklen_t size;
	int fd;
	bool is_told;

	if (!path || !path[0])
		return true;
	if (!slice_copy(address.sun_path, sizeof(address.sun_path), slice_of(path))) {
		errno = ENAMETOOLONG;
		return false;
	}
	size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) + 1);
	/* "@name" is one of the abstract kind: a zero byte, and as long as it is. */
	if (address.sun_path[0] == '@') {
		address.sun_path[0] = '\0';
		size--;
	}
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	is_told = sendto(fd, message, sizeof(message) - 1, MSG_NOSIGNAL,
			 (struct sockaddr *)&address, size) == (ssize_t)sizeof(message) - 1;
	close(fd);
	return is_told;
}
