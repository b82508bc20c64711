
/*
 * A running gateway's state folder: what it says there, and what an operator
 * may ask of it.  A wish is a file in the private folder: who may write there
 * may ask.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <time.h>
#include <unistd.h>
#include <sys/stat.h>

#include "torii_tool.h"


#define TORII_ASK_MAX  (64 * 1024 * 1024)


int
torii_state_read(const char *state, const char *name, torii_buf_t *text)
{
    int      fd;
    char     path[PATH_MAX];
    ssize_t  n;

    (void) snprintf(path, sizeof(path), "%s/%s", state, name);

    n = -1;
    fd = open(path, O_RDONLY|O_CLOEXEC);

    if (fd != -1) {
        do {
            n = read(fd, torii_buf_room(text, 65536), 65536);
            text->len += (n > 0) ? n : 0;
        } while (n > 0 && text->len < TORII_ASK_MAX);

        close(fd);
    }

    if (n != 0) {
        fprintf(stderr, "torii: cannot read \"%s\": %s\n", path,
                strerror(errno));
        return TORII_EXIT_USAGE;
    }

    return TORII_EXIT_OK;
}


/*
 * The gateway's user, whose folder it is, must be able to read the file; but he
 * must not be able to lead us elsewhere, who may be root.
 */

int
torii_ask(const char *state, const char *prefix, const char *text)
{
    int              fd, folder, rc;
    char             dir[PATH_MAX], name[80], tmp[96];
    size_t           len;
    struct stat      st;
    struct timespec  now;

    (void) snprintf(dir, sizeof(dir), "%s/private/requests", state);

    (void) clock_gettime(CLOCK_REALTIME, &now);
    (void) snprintf(name, sizeof(name), "%s%lld.%09ld.%ld", prefix,
                    (long long) now.tv_sec, now.tv_nsec, (long) getpid());
    (void) snprintf(tmp, sizeof(tmp), "%s.tmp", name);

    rc = TORII_EXIT_USAGE;
    len = strlen(text);
    fd = -1;

    folder = open(dir, O_RDONLY|O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC);

    if (folder != -1) {
        fd = openat(folder, tmp, O_WRONLY|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC,
                    0600);
    }

    if (fd != -1 && fstat(folder, &st) == 0
        && write(fd, text, len) == (ssize_t) len
        && (geteuid() != 0 || fchown(fd, st.st_uid, st.st_gid) == 0)
        && renameat(folder, tmp, folder, name) == 0)
    {
        rc = TORII_EXIT_OK;

    } else {
        fprintf(stderr, "torii: cannot ask the gateway in \"%s\": %s\n", dir,
                strerror(errno));

        if (fd != -1) {
            (void) unlinkat(folder, tmp, 0);
        }
    }

    if (fd != -1) {
        close(fd);
    }

    if (folder != -1) {
        close(folder);
    }

    return rc;
}
