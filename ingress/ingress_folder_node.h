
/*
 * The inside of the folder source, private to ingress_folder*.c: a node for
 * each file and sub-folder that was found, and two queues of files.  Events
 * and scans only say what to look at; all reading is done from the queues, so
 * that a budget holds and a burst of events about one file reads it once.
 */

#ifndef _INGRESS_FOLDER_NODE_H_INCLUDED_
#define _INGRESS_FOLDER_NODE_H_INCLUDED_


#include <sys/stat.h>

#include "ingress_folder.h"
#include "ingress_hash.h"


#define INGRESS_FOLDER_DEPTH    32
#define INGRESS_FOLDER_SCANS    64

/* milliseconds: a file is tried again after RETRY, and ever more rarely */
#define INGRESS_FOLDER_RETRY    100
#define INGRESS_FOLDER_PATIENT  60000
#define INGRESS_FOLDER_MISSING  2000     /* the folder itself */
#define INGRESS_FOLDER_LOOK     2000     /* where symlinks lead to it */
#define INGRESS_FOLDER_POLL     5000     /* where inotify does not help */

/* for what may be half of a change */
#define INGRESS_FOLDER_GONE     50
#define INGRESS_FOLDER_EMPTY    200
#define INGRESS_FOLDER_FRESH    1000


typedef struct ingress_node_s  ingress_node_t;

/* Which object a file gave, so that it can be taken back. */

typedef struct {
    ingress_link_t          link;
    ingress_kind_e          kind;
    torii_str_t             namespace;
    torii_str_t             name;
} ingress_folder_ref_t;

/* A node in the table of watch descriptors, of which it may share one. */

typedef struct {
    ingress_link_t          link;
    ingress_node_t         *node;
    int                     wd;          /* -1: none */
} ingress_folder_watch_t;

struct ingress_node_s {
    ingress_link_t          link;        /* by path */
    ingress_node_t         *next;        /* all of the folder */
    ingress_node_t         *prev;
    ingress_node_t         *queue;
    ingress_folder_watch_t  watch;
    torii_str_t             path;        /* NUL after it */

    unsigned                dir:1;
    unsigned                symlink:1;
    unsigned                seen:1;      /* by the scan under way */
    unsigned                queued:1;
    unsigned                good:1;      /* hash is of what is in force */
    unsigned                closed:1;    /* by whoever wrote it */

    /* seen once, to be looked at again before it is believed */
    unsigned                emptied:1;
    unsigned                lost:1;

    /* stat() of what was read last, if that can be relied upon */
    unsigned                settled:1;
    dev_t                   dev;
    ino_t                   ino;
    off_t                   size;
    struct timespec         mtime;
    struct timespec         ctime;

    uint64_t                hash;
    uint64_t                bad;         /* hash of what does not parse */
    int64_t                 retry;       /* when; 0 never */
    uint32_t                delay;

    /* of the content in force */
    torii_arena_t          *arena;
    ingress_folder_ref_t  **refs;
    uint32_t                nrefs;
    ingress_finding_t      *notes;

    /* why what is on disk is not in force */
    torii_arena_t          *trouble_arena;
    ingress_finding_t      *trouble;
};


typedef struct {
    ingress_node_t         *first;
    ingress_node_t         *last;
} ingress_folder_queue_t;

typedef struct {
    char                   *path;
    unsigned                force:1;     /* read even what seems unchanged */
} ingress_folder_scan_t;

struct ingress_folder_s {
    ingress_store_t        *store;
    torii_str_t             path;        /* NUL after it */
    const char             *base;        /* its last part */
    char                   *user;

    int                     fd;
    int                     parent;      /* watch of the folder around */
    unsigned                watch:1;
    unsigned                linked:1;    /* path holds a symlink */
    unsigned                polling:1;
    unsigned                changed:1;
    unsigned                noted:1;     /* findings are to be listed anew */
    const char             *limit;       /* why it is polling */
    const char             *told;        /* of it, in findings */

    dev_t                   dev;
    ino_t                   ino;

    ingress_hash_t          paths;
    ingress_hash_t          watches;
    ingress_node_t         *nodes;
    ingress_folder_queue_t  queue;
    ingress_folder_queue_t  gone;        /* after all others are read, so that
                                            an object that moves to another
                                            file is never missed */
    ingress_folder_scan_t   scans[INGRESS_FOLDER_SCANS];
    uint32_t                nscans;

    int64_t                 retry;       /* the earliest of nodes; 0 none */
    int64_t                 look;        /* when to look around; 0 never */

    torii_buf_t             buf;
    torii_arena_t          *arena;       /* of findings */
    ingress_finding_t      *findings;
};


int64_t ingress_folder_now(void);

ingress_node_t *ingress_node_find(ingress_folder_t *folder, const char *path);
ingress_node_t *ingress_node_get(ingress_folder_t *folder, const char *path,
    unsigned dir);
void ingress_node_free(ingress_folder_t *folder, ingress_node_t *node);
void ingress_node_queue(ingress_folder_t *folder, ingress_node_t *node);
void ingress_node_gone(ingress_folder_t *folder, ingress_node_t *node);

/* Look at it again. */
void ingress_node_soon(ingress_folder_t *folder, ingress_node_t *node,
    uint32_t ms);
void ingress_node_later(ingress_folder_t *folder, ingress_node_t *node);

/* Something is wrong with it: a finding, and another try later. */
void ingress_node_trouble(ingress_folder_t *folder, ingress_node_t *node,
    const char *reason, uint32_t line, uint32_t column, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));
void ingress_node_trouble_errno(ingress_folder_t *folder,
    ingress_node_t *node, int err);
void ingress_node_fine(ingress_folder_t *folder, ingress_node_t *node);

/* Read a file and put what it holds into the store. */
void ingress_folder_file(ingress_folder_t *folder, ingress_node_t *node,
    unsigned last);

/* Take back all that a file gave; it is gone. */
void ingress_folder_forget(ingress_folder_t *folder, ingress_node_t *node);

/* Does stat() say that the content is still what was read? */
int ingress_node_settled(const ingress_node_t *node, const struct stat *st);

/* Look through a sub-folder (NULL: all) when events have been read. */
void ingress_folder_want(ingress_folder_t *folder, const char *path,
    unsigned force);
void ingress_folder_scan(ingress_folder_t *folder);

void ingress_folder_watch_open(ingress_folder_t *folder);
void ingress_folder_watch_parent(ingress_folder_t *folder);
void ingress_folder_watch(ingress_folder_t *folder, ingress_node_t *node);
void ingress_folder_unwatch(ingress_folder_t *folder, ingress_node_t *node);
void ingress_folder_events(ingress_folder_t *folder);

/* "a.yaml", "a.yml", "a.json", but no hidden file. */
int ingress_folder_wants_name(const char *name);


#endif /* _INGRESS_FOLDER_NODE_H_INCLUDED_ */
