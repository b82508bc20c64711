
/*
 * Nodes of the folder source: found, queued, in trouble, forgotten.
 */

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ingress_folder_node.h"


static void ingress_queue_add(ingress_folder_queue_t *queue,
    ingress_node_t *node);
static void ingress_queue_delete(ingress_folder_queue_t *queue,
    ingress_node_t *node);
static int ingress_folder_locked(const char *path, char *locked, size_t size);
static const char *ingress_folder_user(ingress_folder_t *folder);


ingress_node_t *
ingress_node_find(ingress_folder_t *folder, const char *path)
{
    size_t           len;
    uint64_t         hash;
    ingress_node_t  *node;

    len = strlen(path);
    hash = torii_hash(path, len, 0);

    for (node = ingress_hash_first(&folder->paths, hash);
         node != NULL;
         node = ingress_hash_next(node))
    {
        if (node->path.len == len && memcmp(node->path.data, path, len) == 0) {
            return node;
        }
    }

    return NULL;
}


/* A file that became a folder, or the other way round, is another node. */

ingress_node_t *
ingress_node_get(ingress_folder_t *folder, const char *path, unsigned dir)
{
    torii_str_t      s;
    ingress_node_t  *node;

    node = ingress_node_find(folder, path);

    if (node != NULL && node->dir == dir) {
        return node;
    }

    if (node != NULL && !node->dir) {
        ingress_folder_forget(folder, node);
        ingress_node_free(folder, node);

    } else if (node != NULL) {
        ingress_node_free(folder, node);
    }

    s = torii_str(path);

    node = torii_zalloc(sizeof(ingress_node_t));

    node->dir = dir;
    node->watch.node = node;
    node->watch.wd = -1;

    node->path.len = s.len;
    node->path.data = torii_malloc(s.len + 1);
    memcpy(node->path.data, path, s.len + 1);

    node->link.hash = torii_hash(path, s.len, 0);
    ingress_hash_add(&folder->paths, &node->link);

    node->next = folder->nodes;

    if (folder->nodes != NULL) {
        folder->nodes->prev = node;
    }

    folder->nodes = node;

    return node;
}


void
ingress_node_free(ingress_folder_t *folder, ingress_node_t *node)
{
    ingress_folder_unwatch(folder, node);
    ingress_hash_delete(&folder->paths, &node->link);

    if (node->queued) {
        ingress_queue_delete(&folder->queue, node);
        ingress_queue_delete(&folder->gone, node);
    }

    if (node->prev != NULL) {
        node->prev->next = node->next;

    } else {
        folder->nodes = node->next;
    }

    if (node->next != NULL) {
        node->next->prev = node->prev;
    }

    if (node->trouble != NULL || node->notes != NULL) {
        folder->noted = 1;
    }

    torii_arena_destroy(node->arena);
    torii_arena_destroy(node->trouble_arena);

    free(node->path.data);
    free(node);
}


void
ingress_node_queue(ingress_folder_t *folder, ingress_node_t *node)
{
    if (!node->queued) {
        ingress_queue_add(&folder->queue, node);
    }
}


void
ingress_node_gone(ingress_folder_t *folder, ingress_node_t *node)
{
    if (!node->queued) {
        ingress_queue_add(&folder->gone, node);
    }
}


static void
ingress_queue_add(ingress_folder_queue_t *queue, ingress_node_t *node)
{
    node->queued = 1;
    node->queue = NULL;

    if (queue->first == NULL) {
        queue->first = node;

    } else {
        queue->last->queue = node;
    }

    queue->last = node;
}


static void
ingress_queue_delete(ingress_folder_queue_t *queue, ingress_node_t *node)
{
    ingress_node_t  **p, *last;

    last = NULL;

    for (p = &queue->first; *p != NULL; p = &(*p)->queue) {

        if (*p == node) {
            *p = node->queue;

            if (queue->last == node) {
                queue->last = last;
            }

            return;
        }

        last = *p;
    }
}


void
ingress_node_trouble(ingress_folder_t *folder, ingress_node_t *node,
    const char *reason, uint32_t line, uint32_t column, const char *fmt, ...)
{
    char                 text[512];
    va_list              args;
    ingress_finding_t   *f;
    ingress_findings_t   list;

    va_start(args, fmt);
    (void) vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    ingress_node_later(folder, node);

    if (node->trouble != NULL && torii_str_eqs(node->trouble->message, text)) {
        return;
    }

    torii_arena_destroy(node->trouble_arena);
    node->trouble_arena = torii_arena_create(1024);

    ingress_findings_init(&list, node->trouble_arena);

    f = ingress_finding_add(&list, INGRESS_ERROR, reason, torii_str(""),
                            torii_str(""), "%s", text);
    f->kind = torii_str("File");
    f->name = node->path;
    f->file = node->path;
    f->line = line;
    f->column = column;

    node->trouble = f;
    folder->noted = 1;
}


void
ingress_node_soon(ingress_folder_t *folder, ingress_node_t *node, uint32_t ms)
{
    node->retry = ingress_folder_now() + ms;

    if (folder->retry == 0 || node->retry < folder->retry) {
        folder->retry = node->retry;
    }
}


/* Another try, each time after twice as long. */

void
ingress_node_later(ingress_folder_t *folder, ingress_node_t *node)
{
    uint32_t  limit;

    limit = torii_str_eq(node->path, folder->path) ? INGRESS_FOLDER_MISSING
                                                   : INGRESS_FOLDER_PATIENT;

    node->delay = node->delay ? node->delay * 2 : INGRESS_FOLDER_RETRY;

    if (node->delay > limit) {
        node->delay = limit;
    }

    ingress_node_soon(folder, node, node->delay);
}


void
ingress_node_fine(ingress_folder_t *folder, ingress_node_t *node)
{
    node->delay = 0;
    node->retry = 0;

    if (node->trouble == NULL) {
        return;
    }

    torii_arena_destroy(node->trouble_arena);

    node->trouble_arena = NULL;
    node->trouble = NULL;
    folder->noted = 1;
}


/* Says who needs which right, which is what one wants to know. */

void
ingress_node_trouble_errno(ingress_folder_t *folder, ingress_node_t *node,
    int err)
{
    char         locked[256];
    const char  *kept;

    kept = node->good ? "; its last good content stays in force" : "";

    if (err == EACCES
        && ingress_folder_locked((char *) node->path.data, locked,
                                 sizeof(locked)))
    {
        ingress_node_trouble(folder, node, "Unreadable", 0, 0,
                             "user \"%s\" may not search the folder \"%s\": "
                             "give it the right \"x\" there%s",
                             ingress_folder_user(folder), locked, kept);
        return;
    }

    if (err == EACCES) {
        ingress_node_trouble(folder, node, "Unreadable", 0, 0,
                             "user \"%s\" may not read this %s: give it the "
                             "right \"%s\"%s", ingress_folder_user(folder),
                             node->dir ? "folder" : "file",
                             node->dir ? "rx" : "r", kept);
        return;
    }

    if (err == ENOENT) {
        ingress_node_trouble(folder, node,
                             node->dir ? "MissingFolder" : "Unreadable", 0, 0,
                             "%s%s", node->symlink
                             ? "is a symlink to nothing" : "does not exist",
                             kept);
        return;
    }

    ingress_node_trouble(folder, node, "Unreadable", 0, 0,
                         "cannot be read: %s%s", strerror(err), kept);
}


/* The first folder on the way that may not be searched. */

static int
ingress_folder_locked(const char *path, char *locked, size_t size)
{
    size_t  i;

    for (i = 1; path[i] != '\0' && i < size; i++) {

        if (path[i] != '/') {
            continue;
        }

        memcpy(locked, path, i);
        locked[i] = '\0';

        if (faccessat(AT_FDCWD, locked, X_OK, AT_EACCESS) != 0
            && errno == EACCES)
        {
            return 1;
        }
    }

    return 0;
}


static const char *
ingress_folder_user(ingress_folder_t *folder)
{
    size_t          size;
    const char     *name;
    struct passwd  *pw;

    if (folder->user != NULL) {
        return folder->user;
    }

    pw = getpwuid(geteuid());
    name = pw != NULL ? pw->pw_name : "";

    size = strlen(name) + 32;
    folder->user = torii_malloc(size);

    if (pw != NULL) {
        (void) snprintf(folder->user, size, "%s", name);

    } else {
        (void) snprintf(folder->user, size, "uid %u", (unsigned) geteuid());
    }

    return folder->user;
}
