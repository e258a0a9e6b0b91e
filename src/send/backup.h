/*
 * Backups of the appliance: one tar archive with configuration, keys, contacts and queue. Made
 * beside a running sender; brought back in two steps, so that no power cut leaves half of it.
 *
 *   MANIFEST            what it is: format, version, host, time
 *   etc/NAME.conf       configuration of appliance and sender; NAME.pem the web server's own
 *   etc/users           certificate, users those who may hand in mail
 *   hook/NAME           secrets of webhooks
 *   send/token.key      what makes envelope senders and unsubscribe links ours
 *   send/keys/NAME.pem  private keys: a backup is as secret as they are
 *   web/audience/data.mdb contacts and all of the newsletter service at one moment
 *   web/audience/images/ID.X images for mail; one that was brought meanwhile has no record and goes
 *   send/queue/data.mdb campaigns and their recipients at a later one, so that what the newsletter
 *                       service has read of the sender is there
 *   site/PATH           the customer's own pages
 *   SHA256              of all that stands before it
 *
 * The host key of ssh is not in it: another machine is another host.
 */
#ifndef SEND_BACKUP_H
#define SEND_BACKUP_H

#include "base/error.h"
#include "base/types.h"

/* Below the folder of data, the stage: what is to be brought back at the next start. */
#define BACKUP_STAGE "send/restore"

/*
 * Writes DATA/backup/NAME.backup, NAME being the host and the time; its path goes to `path`. `data`
 * is "/data" but in tests. False, with a sentence: nothing is left behind.
 */
bool backup_make(const char *data, char *path, size_t size, struct error *error) MUST_CHECK;

/*
 * Reads an archive from `fd` into the stage. Campaigns that ran are paused in it, and what begins
 * by itself is held (store/audience_hold.h): what was sent since the backup was made would be sent
 * again. A stage that is complete has the file READY; init puts it in place at the next start
 * (init/restore.h). False, with a sentence: no stage is left.
 */
bool backup_stage(const char *data, int fd, struct error *error) MUST_CHECK;

/* The tasks: `hikyaku backup-task`, as the sender's user, and `hikyaku restore-task FILE|-`. */
int backup_task_main(int argc, char **argv);
int restore_task_main(int argc, char **argv);

#endif
