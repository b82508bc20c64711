
/*
 * Looking through the folder: what is there, what is new, what has gone.
 */

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "ingress_folder_node.h"


/* Where a scan is, and the folders around, so that no loop is followed. */

typedef struct {
    ingress_folder_t  *folder;
    unsigned           force;
    unsigned           depth;
    size_t             len;
    char               path[PATH_MAX];

    struct {
        dev_t          dev;
        ino_t          ino;
    } chain[INGRESS_FOLDER_DEPTH];
} ingress_scan_t;


static void ingress_scan_root(ingress_scan_t *scan);
static void ingress_scan_identity(ingress_folder_t *folder,
    const struct stat *st);
static int ingress_scan_linked(const ingress_folder_t *folder);
static int ingress_scan_remote(const ingress_folder_t *folder);
static void ingress_scan_below(ingress_scan_t *scan);
static int ingress_scan_dangling(ingress_scan_t *scan);
static int ingress_scan_chain(ingress_scan_t *scan);
static void ingress_scan_folder(ingress_scan_t *scan);
static int ingress_scan_enter(ingress_scan_t *scan, ingress_node_t *node,
    const struct stat *st);
static void ingress_scan_entry(ingress_scan_t *scan,
    const struct dirent *entry);
static void ingress_scan_file(ingress_scan_t *scan, unsigned symlink,
    const struct stat *st);
static int ingress_scan_push(ingress_scan_t *scan, const char *name);
static int ingress_scan_covers(const ingress_scan_t *scan,
    const ingress_node_t *node);
static void ingress_scan_mark(ingress_scan_t *scan, unsigned seen);
static void ingress_scan_sweep(ingress_scan_t *scan);


void
ingress_folder_want(ingress_folder_t *folder, const char *path, unsigned force)
{
    size_t                  len;
    uint32_t                i;
    ingress_folder_scan_t  *scan;

    if (path == NULL || folder->nscans == INGRESS_FOLDER_SCANS) {

        for (i = 0; i < folder->nscans; i++) {
            force |= folder->scans[i].force;
            free(folder->scans[i].path);
        }

        folder->nscans = 0;
        path = (char *) folder->path.data;
    }

    for (i = 0; i < folder->nscans; i++) {
        scan = &folder->scans[i];
        len = strlen(scan->path);

        if (strncmp(path, scan->path, len) == 0
            && (path[len] == '\0' || path[len] == '/'))
        {
            scan->force |= force;
            return;
        }
    }

    len = strlen(path);
    scan = &folder->scans[folder->nscans++];

    scan->path = torii_malloc(len + 1);
    memcpy(scan->path, path, len + 1);
    scan->force = force;
}


void
ingress_folder_scan(ingress_folder_t *folder)
{
    uint32_t        i;
    ingress_scan_t  scan;

    for (i = 0; i < folder->nscans; i++) {

        scan.folder = folder;
        scan.force = folder->scans[i].force;
        scan.depth = 0;
        scan.len = strlen(folder->scans[i].path);

        if (scan.len < sizeof(scan.path)) {
            memcpy(scan.path, folder->scans[i].path, scan.len + 1);

            if (torii_str_eqs(folder->path, scan.path)) {
                ingress_scan_root(&scan);

            } else {
                ingress_scan_below(&scan);
            }
        }

        free(folder->scans[i].path);
    }

    folder->nscans = 0;
}


/*
 * A folder that is missing may be back soon: what was read from it stays in
 * force, since its absence says nothing about any object.
 */

static void
ingress_scan_root(ingress_scan_t *scan)
{
    struct stat        st;
    ingress_node_t    *node;
    ingress_folder_t  *folder;

    folder = scan->folder;

    if (folder->fd != -1) {
        folder->limit = NULL;
        ingress_folder_watch_parent(folder);
    }

    if (stat(scan->path, &st) != 0) {
        node = ingress_node_find(folder, scan->path);

        if (node == NULL) {
            node = ingress_node_get(folder, scan->path, 1);
        }

        ingress_node_trouble_errno(folder, node, errno);
        ingress_scan_identity(folder, NULL);
        return;
    }

    ingress_scan_identity(folder, &st);

    ingress_scan_mark(scan, 0);

    if (S_ISDIR(st.st_mode)) {
        ingress_scan_folder(scan);

    } else {
        ingress_scan_file(scan, 1, &st);
    }

    ingress_scan_sweep(scan);
}


static void
ingress_scan_identity(ingress_folder_t *folder, const struct stat *st)
{
    int64_t  interval;

    folder->dev = st != NULL ? st->st_dev : 0;
    folder->ino = st != NULL ? st->st_ino : 0;

    if (!folder->watch) {
        return;
    }

    if (folder->fd != -1 && folder->limit == NULL && st != NULL
        && ingress_scan_remote(folder))
    {
        folder->limit = "the file system tells nothing of changes made on "
                        "other machines";
    }

    folder->polling = folder->fd == -1 || folder->limit != NULL;
    folder->look = 0;

    interval = folder->polling ? INGRESS_FOLDER_POLL : INGRESS_FOLDER_LOOK;

    if (folder->polling || ingress_scan_linked(folder)) {
        folder->look = ingress_folder_now() + interval;
    }
}


/* inotify sees no exchange of a symlink on the way to the folder. */

static int
ingress_scan_linked(const ingress_folder_t *folder)
{
    char         part[PATH_MAX];
    size_t       i;
    struct stat  st;

    for (i = 1; i <= folder->path.len && i < sizeof(part); i++) {

        if (folder->path.data[i] != '/' && folder->path.data[i] != '\0') {
            continue;
        }

        memcpy(part, folder->path.data, i);
        part[i] = '\0';

        if (lstat(part, &st) == 0 && S_ISLNK(st.st_mode)) {
            return 1;
        }
    }

    return 0;
}


static int
ingress_scan_remote(const ingress_folder_t *folder)
{
    struct statfs  fs;

    if (statfs((char *) folder->path.data, &fs) != 0) {
        return 0;
    }

    switch ((uint32_t) fs.f_type) {

    case 0x6969:        /* NFS */
    case 0xff534d42:    /* CIFS */
    case 0xfe534d42:    /* SMB2 */
    case 0x01021997:    /* 9P */
    case 0x65735546:    /* FUSE */
        return 1;
    }

    return 0;
}


static void
ingress_scan_below(ingress_scan_t *scan)
{
    struct stat  st;

    ingress_scan_mark(scan, 0);

    if (ingress_scan_chain(scan) != TORII_OK) {
        /* a folder around it went, too: void */

    } else if (stat(scan->path, &st) != 0) {
        (void) ingress_scan_dangling(scan);

    } else if (S_ISDIR(st.st_mode)) {
        ingress_scan_folder(scan);
    }

    ingress_scan_sweep(scan);
}


/* A symlink to a folder that is missing now, perhaps for a moment. */

static int
ingress_scan_dangling(ingress_scan_t *scan)
{
    int              err;
    struct stat      st;
    ingress_node_t  *node;

    err = errno;
    node = ingress_node_find(scan->folder, scan->path);

    if (node == NULL || !node->dir
        || lstat(scan->path, &st) != 0 || !S_ISLNK(st.st_mode))
    {
        return TORII_DECLINED;
    }

    node->symlink = 1;
    ingress_node_trouble_errno(scan->folder, node, err);
    ingress_scan_mark(scan, 1);

    return TORII_OK;
}


/* The folders from the top to the one to be scanned. */

static int
ingress_scan_chain(ingress_scan_t *scan)
{
    int          rc;
    size_t       i;
    struct stat  st;

    for (i = scan->folder->path.len; i < scan->len; i++) {

        if (scan->path[i] != '/') {
            continue;
        }

        if (scan->depth == INGRESS_FOLDER_DEPTH) {
            return TORII_ERROR;
        }

        scan->path[i] = '\0';
        rc = stat(scan->path, &st);
        scan->path[i] = '/';

        if (rc != 0) {
            return TORII_ERROR;
        }

        scan->chain[scan->depth].dev = st.st_dev;
        scan->chain[scan->depth].ino = st.st_ino;
        scan->depth++;
    }

    return TORII_OK;
}


static void
ingress_scan_folder(ingress_scan_t *scan)
{
    DIR             *dir;
    size_t           len;
    struct stat      st;
    struct dirent   *entry;
    ingress_node_t  *node;

    node = ingress_node_get(scan->folder, scan->path, 1);
    node->seen = 1;

    /* what happens after the watch is set is an event, what was before is
       found now */

    ingress_folder_watch(scan->folder, node);

    dir = opendir(scan->path);

    if (dir == NULL || fstat(dirfd(dir), &st) != 0) {
        ingress_node_trouble_errno(scan->folder, node, errno);
        ingress_scan_mark(scan, 1);

        if (dir != NULL) {
            (void) closedir(dir);
        }

        return;
    }

    if (ingress_scan_enter(scan, node, &st) != TORII_OK) {
        (void) closedir(dir);
        return;
    }

    ingress_node_fine(scan->folder, node);

    len = scan->len;

    while ((entry = readdir(dir)) != NULL) {

        if (entry->d_name[0] != '.'
            && ingress_scan_push(scan, entry->d_name) == TORII_OK)
        {
            ingress_scan_entry(scan, entry);
        }

        scan->len = len;
        scan->path[len] = '\0';
    }

    scan->depth--;

    (void) closedir(dir);
}


static int
ingress_scan_enter(ingress_scan_t *scan, ingress_node_t *node,
    const struct stat *st)
{
    unsigned  i;

    for (i = 0; i < scan->depth; i++) {

        if (scan->chain[i].dev == st->st_dev
            && scan->chain[i].ino == st->st_ino)
        {
            ingress_node_trouble(scan->folder, node, "FolderLoop", 0, 0,
                                 "leads back to a folder around it and is "
                                 "not followed");
            return TORII_ERROR;
        }
    }

    if (scan->depth == INGRESS_FOLDER_DEPTH) {
        ingress_node_trouble(scan->folder, node, "TooDeep", 0, 0,
                             "is more than %d folders deep and is not read",
                             INGRESS_FOLDER_DEPTH);
        return TORII_ERROR;
    }

    scan->chain[scan->depth].dev = st->st_dev;
    scan->chain[scan->depth].ino = st->st_ino;
    scan->depth++;

    return TORII_OK;
}


static void
ingress_scan_entry(ingress_scan_t *scan, const struct dirent *entry)
{
    int          rc;
    unsigned     symlink, wanted;
    struct stat  st;

    wanted = ingress_folder_wants_name(entry->d_name);

    if (!wanted && entry->d_type == DT_REG) {
        return;
    }

    if (entry->d_type == DT_DIR) {
        ingress_scan_folder(scan);
        return;
    }

    if (entry->d_type == DT_REG && scan->force) {
        ingress_scan_file(scan, 0, NULL);
        return;
    }

    symlink = entry->d_type == DT_LNK
              || (entry->d_type == DT_UNKNOWN && lstat(scan->path, &st) == 0
                  && S_ISLNK(st.st_mode));

    rc = stat(scan->path, &st);

    if (rc == 0 && S_ISDIR(st.st_mode)) {
        ingress_scan_folder(scan);
        return;
    }

    if (rc != 0 && ingress_scan_dangling(scan) == TORII_OK) {
        return;
    }

    if (wanted) {
        ingress_scan_file(scan, symlink, rc == 0 ? &st : NULL);
    }
}


static void
ingress_scan_file(ingress_scan_t *scan, unsigned symlink,
    const struct stat *st)
{
    ingress_node_t  *node;

    node = ingress_node_get(scan->folder, scan->path, 0);

    node->symlink = symlink;
    node->seen = 1;

    if (scan->force || st == NULL || !ingress_node_settled(node, st)) {
        ingress_node_queue(scan->folder, node);
    }
}


/* A name with control bytes would end in logs and on terminals. */

static int
ingress_scan_push(ingress_scan_t *scan, const char *name)
{
    size_t       len;
    torii_str_t  s;

    s = torii_str(name);
    len = scan->len;

    if (torii_str_has_control(s)
        || len + 1 + s.len >= sizeof(scan->path))
    {
        return TORII_ERROR;
    }

    if (scan->path[len - 1] != '/') {
        scan->path[len++] = '/';
    }

    memcpy(scan->path + len, name, s.len + 1);
    scan->len = len + s.len;

    return TORII_OK;
}


static int
ingress_scan_covers(const ingress_scan_t *scan, const ingress_node_t *node)
{
    if (node->path.len < scan->len
        || memcmp(node->path.data, scan->path, scan->len) != 0)
    {
        return 0;
    }

    return node->path.len == scan->len || node->path.data[scan->len] == '/'
           || scan->path[scan->len - 1] == '/';
}


static void
ingress_scan_mark(ingress_scan_t *scan, unsigned seen)
{
    ingress_node_t  *node;

    for (node = scan->folder->nodes; node != NULL; node = node->next) {
        if (ingress_scan_covers(scan, node)) {
            node->seen = seen;
        }
    }
}


static void
ingress_scan_sweep(ingress_scan_t *scan)
{
    ingress_node_t  *node, *next;

    for (node = scan->folder->nodes; node != NULL; node = next) {
        next = node->next;

        if (node->seen || !ingress_scan_covers(scan, node)) {
            continue;
        }

        if (node->dir) {
            ingress_node_free(scan->folder, node);

        } else {
            ingress_node_gone(scan->folder, node);
        }
    }
}
