
/*
 * inotify: which folders are watched, and what an event asks to look at.
 * Events decide nothing themselves: they may be late, doubled or lost.
 */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "ingress_folder_node.h"


#define INGRESS_FOLDER_EVENTS                                                 \
    (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE     \
     | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF)


static void ingress_folder_failed(ingress_folder_t *folder, int err);
static uint64_t ingress_watch_hash(int wd);
static ingress_folder_watch_t *ingress_watch_first(ingress_folder_t *folder,
    int wd);
static ingress_folder_watch_t *ingress_watch_next(
    ingress_folder_watch_t *watch);
static void ingress_folder_event(ingress_folder_t *folder,
    const struct inotify_event *e);
static void ingress_node_event(ingress_folder_t *folder, ingress_node_t *node,
    const struct inotify_event *e);
static void ingress_folder_look(ingress_folder_t *folder, const char *path,
    const char *name, uint32_t mask);


void
ingress_folder_watch_open(ingress_folder_t *folder)
{
    folder->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

    if (folder->fd == -1) {
        ingress_folder_failed(folder, errno);
    }
}


static void
ingress_folder_failed(ingress_folder_t *folder, int err)
{
    switch (err) {

    case ENOSPC:
        folder->limit = "the limit of inotify watches is reached, raise the "
                        "sysctl fs.inotify.max_user_watches";
        break;

    case EMFILE:
        folder->limit = "the limit of inotify instances is reached, raise the "
                        "sysctl fs.inotify.max_user_instances";
        break;

    default:
        folder->limit = "inotify does not work here";
    }
}


/* The folder around, to see the folder itself come, go or be replaced. */

void
ingress_folder_watch_parent(ingress_folder_t *folder)
{
    int     wd;
    char    path[PATH_MAX];
    size_t  len;

    len = folder->base - (char *) folder->path.data;

    if (folder->fd == -1 || folder->base[0] == '\0'
        || len + 2 > sizeof(path))
    {
        return;
    }

    memcpy(path, folder->path.data, len);
    memcpy(path + len, ".", 2);

    wd = inotify_add_watch(folder->fd, path,
                           INGRESS_FOLDER_EVENTS | IN_ONLYDIR);

    if (wd == folder->parent) {
        return;
    }

    if (folder->parent != -1
        && ingress_watch_first(folder, folder->parent) == NULL)
    {
        (void) inotify_rm_watch(folder->fd, folder->parent);
    }

    folder->parent = wd;

    if (wd == -1 && errno == ENOSPC) {
        ingress_folder_failed(folder, errno);
    }
}


void
ingress_folder_watch(ingress_folder_t *folder, ingress_node_t *node)
{
    int  wd;

    if (folder->fd == -1) {
        return;
    }

    wd = inotify_add_watch(folder->fd, (char *) node->path.data,
                           INGRESS_FOLDER_EVENTS
                           | (node->dir ? IN_ONLYDIR : 0));

    if (wd == -1 && errno == ENOSPC) {
        ingress_folder_failed(folder, errno);
        folder->polling = 1;
        folder->look = ingress_folder_now() + INGRESS_FOLDER_POLL;
    }

    if (wd == node->watch.wd) {
        return;
    }

    ingress_folder_unwatch(folder, node);

    if (wd == -1) {
        return;
    }

    node->watch.wd = wd;
    node->watch.link.hash = ingress_watch_hash(wd);
    ingress_hash_add(&folder->watches, &node->watch.link);
}


/* Two paths that lead to one folder share a descriptor. */

void
ingress_folder_unwatch(ingress_folder_t *folder, ingress_node_t *node)
{
    int  wd;

    wd = node->watch.wd;

    if (wd == -1) {
        return;
    }

    ingress_hash_delete(&folder->watches, &node->watch.link);
    node->watch.wd = -1;

    if (wd != folder->parent && ingress_watch_first(folder, wd) == NULL) {
        (void) inotify_rm_watch(folder->fd, wd);
    }
}


static uint64_t
ingress_watch_hash(int wd)
{
    return torii_hash(&wd, sizeof(wd), 0);
}


static ingress_folder_watch_t *
ingress_watch_first(ingress_folder_t *folder, int wd)
{
    ingress_folder_watch_t  *watch;

    watch = ingress_hash_first(&folder->watches, ingress_watch_hash(wd));

    while (watch != NULL && watch->wd != wd) {
        watch = ingress_hash_next(watch);
    }

    return watch;
}


static ingress_folder_watch_t *
ingress_watch_next(ingress_folder_watch_t *watch)
{
    int  wd;

    wd = watch->wd;

    do {
        watch = ingress_hash_next(watch);
    } while (watch != NULL && watch->wd != wd);

    return watch;
}


void
ingress_folder_events(ingress_folder_t *folder)
{
    char                         *p;
    ssize_t                       n;
    const struct inotify_event   *e;

    union {
        struct inotify_event      event;    /* for its alignment */
        char                      bytes[64 * 1024];
    } buf;

    for ( ;; ) {
        n = read(folder->fd, &buf, sizeof(buf));

        if (n <= 0) {
            return;
        }

        for (p = buf.bytes; p < buf.bytes + n; p += sizeof(*e) + e->len) {
            e = (const struct inotify_event *) (const void *) p;
            ingress_folder_event(folder, e);
        }
    }
}


static void
ingress_folder_event(ingress_folder_t *folder, const struct inotify_event *e)
{
    ingress_node_t          *node;
    ingress_folder_watch_t  *watch, *next;

    if (e->mask & IN_Q_OVERFLOW) {
        ingress_folder_want(folder, NULL, 1);
        return;
    }

    if (e->wd == folder->parent) {

        if (e->mask & IN_IGNORED) {
            folder->parent = -1;
        }

        if (e->len && strcmp(e->name, folder->base) == 0) {
            node = ingress_node_find(folder, (char *) folder->path.data);
            ingress_folder_want(folder, NULL, node != NULL && !node->dir);
        }
    }

    for (watch = ingress_watch_first(folder, e->wd);
         watch != NULL;
         watch = next)
    {
        next = ingress_watch_next(watch);

        if (e->mask & IN_IGNORED) {
            ingress_hash_delete(&folder->watches, &watch->link);
            watch->wd = -1;
            continue;
        }

        ingress_node_event(folder, watch->node, e);
    }
}


static void
ingress_node_event(ingress_folder_t *folder, ingress_node_t *node,
    const struct inotify_event *e)
{
    int   n;
    char  path[PATH_MAX];

    if (!node->dir) {
        node->closed |= (e->mask & IN_CLOSE_WRITE) != 0;
        ingress_node_queue(folder, node);
        return;
    }

    /* the folder itself, or the "..data" by which all of a mounted ConfigMap
       is replaced at once */

    if (e->len == 0 || strcmp(e->name, "..data") == 0) {
        ingress_folder_want(folder, (char *) node->path.data, 0);
        return;
    }

    if (e->name[0] == '.' || torii_str_has_control(torii_str(e->name))) {
        return;
    }

    n = snprintf(path, sizeof(path), "%s%s%s", (char *) node->path.data,
                 node->path.data[node->path.len - 1] == '/' ? "" : "/",
                 e->name);

    if (n > 0 && (size_t) n < sizeof(path)) {
        ingress_folder_look(folder, path, e->name, e->mask);
    }
}


static void
ingress_folder_look(ingress_folder_t *folder, const char *path,
    const char *name, uint32_t mask)
{
    unsigned         symlink;
    struct stat      st;
    ingress_node_t  *node;

    node = ingress_node_find(folder, path);

    if ((mask & IN_ISDIR) || (node != NULL && node->dir)) {
        ingress_folder_want(folder, path, 0);
        return;
    }

    if (lstat(path, &st) != 0) {

        if (node != NULL) {
            ingress_node_queue(folder, node);
        }

        return;
    }

    symlink = S_ISLNK(st.st_mode);

    if (symlink && stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        ingress_folder_want(folder, path, 0);
        return;
    }

    if (!ingress_folder_wants_name(name)) {
        return;
    }

    /* whoever created it is going to write and to close it */

    if ((mask & IN_CREATE) && !symlink && S_ISREG(st.st_mode)
        && st.st_nlink == 1)
    {
        if (node != NULL) {
            node->lost = 1;
        }

        return;
    }

    node = ingress_node_get(folder, path, 0);
    node->symlink = symlink;
    node->closed |= (mask & (IN_CLOSE_WRITE | IN_MOVED_TO)) != 0;

    ingress_node_queue(folder, node);
}


int
ingress_folder_wants_name(const char *name)
{
    const char  *dot;

    dot = strrchr(name, '.');

    return name[0] != '.' && dot != NULL
           && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0
               || strcmp(dot, ".json") == 0);
}
