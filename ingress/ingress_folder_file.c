
/*
 * One file of the folder: bytes to objects in the store.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "ingress_folder_node.h"


#define INGRESS_FOLDER_ARENA  (32 * 1024)
#define INGRESS_FOLDER_SPARE  (1024 * 1024)


/* What the new content of a file gives. */

typedef struct {
    ingress_folder_t       *folder;
    ingress_node_t         *node;
    torii_arena_t          *arena;
    ingress_hash_t          refs;
    ingress_folder_ref_t  **list;
    uint32_t                n;
    uint32_t                size;
    ingress_findings_t      notes;
} ingress_batch_t;


static void ingress_file_gone(ingress_folder_t *folder, ingress_node_t *node);
static int ingress_file_load(ingress_folder_t *folder, ingress_node_t *node,
    struct stat *st);
static int ingress_file_bytes(ingress_folder_t *folder, ingress_node_t *node,
    int fd, struct stat *st);
static int ingress_file_fresh(const ingress_node_t *node,
    const struct stat *st);
static void ingress_file_settle(ingress_node_t *node, const struct stat *st);
static int ingress_file_parse(ingress_folder_t *folder, ingress_node_t *node,
    torii_arena_t *a, torii_node_t ***docs, uint32_t *n);
static int ingress_file_emptied(ingress_folder_t *folder,
    ingress_node_t *node, uint32_t docs);
static void ingress_file_commit(ingress_folder_t *folder,
    ingress_node_t *node, torii_arena_t *a, torii_node_t **docs, uint32_t n);
static void ingress_file_object(void *data, ingress_object_t *o);
static uint64_t ingress_file_key(ingress_kind_e kind, torii_str_t namespace,
    torii_str_t name);
static ingress_folder_ref_t *ingress_file_ref(const ingress_batch_t *batch,
    uint64_t hash, ingress_kind_e kind, torii_str_t namespace,
    torii_str_t name);
static void ingress_file_drop(ingress_batch_t *batch);


/* last: it is the turn of those that are gone. */

void
ingress_folder_file(ingress_folder_t *folder, ingress_node_t *node,
    unsigned last)
{
    int              rc;
    uint32_t         n;
    uint64_t         hash;
    struct stat      st;
    torii_arena_t   *a;
    torii_node_t   **docs;

    rc = ingress_file_load(folder, node, &st);

    if (rc == TORII_DECLINED && !last) {
        ingress_node_gone(folder, node);
        return;
    }

    if (rc == TORII_DECLINED) {
        ingress_file_gone(folder, node);
        return;
    }

    if (rc != TORII_OK) {
        node->settled = 0;
        return;
    }

    node->lost = 0;

    ingress_file_settle(node, &st);

    hash = torii_hash(folder->buf.data, folder->buf.len, 0);

    if (node->good && hash == node->hash) {
        node->emptied = 0;
        ingress_node_fine(folder, node);
        return;
    }

    if (node->trouble != NULL && hash == node->bad) {
        ingress_node_later(folder, node);
        return;
    }

    a = torii_arena_create(INGRESS_FOLDER_ARENA);
    node->bad = 0;

    if (ingress_file_parse(folder, node, a, &docs, &n) != TORII_OK) {
        node->emptied = 0;
        node->bad = hash;

    } else if (!ingress_file_emptied(folder, node, n)) {
        ingress_file_commit(folder, node, a, docs, n);
        ingress_node_fine(folder, node);
        node->hash = hash;
        node->good = 1;
    }

    torii_arena_destroy(a);

    if (folder->buf.size > INGRESS_FOLDER_SPARE) {
        torii_buf_free(&folder->buf);
    }
}


/*
 * git and others replace a file by removing it and writing a new one: its
 * objects must not be missing in between.
 */

static void
ingress_file_gone(ingress_folder_t *folder, ingress_node_t *node)
{
    if (folder->watch && node->nrefs && !node->lost) {
        node->lost = 1;
        node->settled = 0;
        ingress_node_soon(folder, node, INGRESS_FOLDER_GONE);
        return;
    }

    ingress_folder_forget(folder, node);
    ingress_node_free(folder, node);
}


/* TORII_DECLINED: there is no such file any more; TORII_AGAIN: not now. */

static int
ingress_file_load(ingress_folder_t *folder, ingress_node_t *node,
    struct stat *st)
{
    int          fd, rc, err;
    const char  *path;

    path = (char *) node->path.data;

    /* O_NONBLOCK: nobody may write into what turns out to be a pipe */

    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd == -1) {
        err = errno;

        if ((err == ENOENT || err == ENOTDIR) && lstat(path, st) != 0
            && !torii_str_eq(node->path, folder->path))
        {
            return TORII_DECLINED;
        }

        ingress_node_trouble_errno(folder, node, err);

        return TORII_ERROR;
    }

    rc = ingress_file_bytes(folder, node, fd, st);

    (void) close(fd);

    if (rc == TORII_OK && node->symlink) {
        ingress_folder_watch(folder, node);
    }

    return rc;
}


static int
ingress_file_bytes(ingress_folder_t *folder, ingress_node_t *node, int fd,
    struct stat *st)
{
    size_t          room;
    ssize_t         n;
    torii_buf_t    *b;
    unsigned char  *p;

    if (fstat(fd, st) != 0) {
        ingress_node_trouble_errno(folder, node, errno);
        return TORII_ERROR;
    }

    if (!S_ISREG(st->st_mode)) {
        ingress_node_trouble(folder, node, "Unreadable", 0, 0,
                             "is not a regular file");
        return TORII_ERROR;
    }

    if (folder->watch && ingress_file_fresh(node, st)) {
        ingress_node_soon(folder, node, INGRESS_FOLDER_RETRY);
        return TORII_AGAIN;
    }

    node->closed = 0;

    b = &folder->buf;
    b->len = 0;

    room = 4096;

    if (st->st_size > 0 && (size_t) st->st_size < torii_tree_limits.bytes) {
        room = (size_t) st->st_size + 1;
    }

    for ( ;; ) {
        p = torii_buf_room(b, room);
        n = read(fd, p, room);

        if (n == 0) {
            return TORII_OK;
        }

        if (n < 0 && errno == EINTR) {
            continue;
        }

        if (n < 0) {
            ingress_node_trouble_errno(folder, node, errno);
            return TORII_ERROR;
        }

        b->len += (size_t) n;

        if (b->len > torii_tree_limits.bytes) {
            ingress_node_trouble(folder, node, "TooLarge", 0, 0,
                                 "is larger than %zu MB; split it",
                                 torii_tree_limits.bytes / (1024 * 1024));
            return TORII_ERROR;
        }

        /* one byte was asked for beyond the size, to see the end in it */

        room = b->size - b->len;

        if (room == 0) {
            room = b->len;
        }
    }
}


/*
 * A file of good content that was written a moment ago, and that nobody was
 * seen to close, may be half-written: its writer may be at it.  Another file
 * in its place, as symlinks exchange them, is whole, unless the old one was
 * seen to go.
 */

static int
ingress_file_fresh(const ingress_node_t *node, const struct stat *st)
{
    int64_t          age;
    struct timespec  now;

    if (!node->good || node->closed || node->emptied
        || (node->ino != st->st_ino && !node->lost)
        || (node->mtime.tv_sec == st->st_mtim.tv_sec
            && node->mtime.tv_nsec == st->st_mtim.tv_nsec))
    {
        return 0;
    }

    (void) clock_gettime(CLOCK_REALTIME, &now);

    age = ((int64_t) now.tv_sec - st->st_mtim.tv_sec) * 1000
          + (now.tv_nsec - st->st_mtim.tv_nsec) / 1000000;

    return age >= 0 && age < INGRESS_FOLDER_FRESH;
}


/*
 * The clock of file systems is coarse: a file that was written just now may be
 * written again without a change to be seen in its times.
 */

static void
ingress_file_settle(ingress_node_t *node, const struct stat *st)
{
    struct timespec  now;

    (void) clock_gettime(CLOCK_REALTIME, &now);

    node->settled = now.tv_sec - st->st_ctim.tv_sec > 2;
    node->dev = st->st_dev;
    node->ino = st->st_ino;
    node->size = st->st_size;
    node->mtime = st->st_mtim;
    node->ctime = st->st_ctim;
}


int
ingress_node_settled(const ingress_node_t *node, const struct stat *st)
{
    return node->settled
           && node->dev == st->st_dev
           && node->ino == st->st_ino
           && node->size == st->st_size
           && node->mtime.tv_sec == st->st_mtim.tv_sec
           && node->mtime.tv_nsec == st->st_mtim.tv_nsec
           && node->ctime.tv_sec == st->st_ctim.tv_sec
           && node->ctime.tv_nsec == st->st_ctim.tv_nsec;
}


static int
ingress_file_parse(ingress_folder_t *folder, ingress_node_t *node,
    torii_arena_t *a, torii_node_t ***docs, uint32_t *n)
{
    int                 rc;
    torii_str_t         in;
    torii_tree_error_t  error;

    in.data = folder->buf.data;
    in.len = folder->buf.len;

    if (node->path.len > 5
        && memcmp(node->path.data + node->path.len - 5, ".json", 5) == 0)
    {
        /* an empty file is no JSON, but no objects either */

        *docs = torii_arena_alloc(a, sizeof(torii_node_t *));
        *n = torii_str_trim(in).len ? 1 : 0;

        rc = *n ? torii_tree_json(a, in, &torii_tree_limits, *docs, &error)
                : TORII_OK;

    } else {
        rc = torii_tree_yaml(a, in, &torii_tree_limits, docs, n, &error);
    }

    if (rc == TORII_OK) {
        return TORII_OK;
    }

    ingress_node_trouble(folder, node, "ParseError", error.line, error.column,
                         "%s; %s", error.text,
                         node->good ? "its last good content stays in force"
                                    : "nothing of it is served");
    return TORII_ERROR;
}


/*
 * Who rewrites a file in place empties it first.  Before objects go for that,
 * it is looked at again.
 */

static int
ingress_file_emptied(ingress_folder_t *folder, ingress_node_t *node,
    uint32_t docs)
{
    if (docs || node->nrefs == 0 || node->emptied || !folder->watch) {
        node->emptied = 0;
        return 0;
    }

    node->emptied = 1;
    node->settled = 0;
    ingress_node_soon(folder, node, INGRESS_FOLDER_EMPTY);

    return 1;
}


static void
ingress_file_commit(ingress_folder_t *folder, ingress_node_t *node,
    torii_arena_t *a, torii_node_t **docs, uint32_t n)
{
    uint32_t            i;
    ingress_batch_t     batch;
    ingress_finding_t  *findings, *f;

    memset(&batch, 0, sizeof(ingress_batch_t));

    batch.folder = folder;
    batch.node = node;
    batch.arena = torii_arena_create(512);
    ingress_findings_init(&batch.notes, batch.arena);

    for (i = 0; i < n; i++) {
        findings = NULL;

        ingress_object_decode(a, docs[i], node->path, ingress_file_object,
                              &batch, &findings);

        for (f = findings; f != NULL; f = f->next) {
            ingress_finding_copy(&batch.notes, f);
        }
    }

    ingress_file_drop(&batch);

    if (node->notes != NULL || batch.notes.first != NULL) {
        folder->noted = 1;
    }

    node->refs = torii_arena_alloc(batch.arena,
                                  batch.n * sizeof(ingress_folder_ref_t *));
    node->nrefs = batch.n;

    if (batch.n) {
        memcpy(node->refs, batch.list,
               batch.n * sizeof(ingress_folder_ref_t *));
    }

    torii_arena_destroy(node->arena);
    node->arena = batch.arena;
    node->notes = batch.notes.first;

    free(batch.list);
    ingress_hash_free(&batch.refs);
}


static void
ingress_file_object(void *data, ingress_object_t *o)
{
    uint64_t               hash;
    ingress_batch_t       *batch;
    ingress_finding_t     *f;
    ingress_folder_ref_t  *ref;

    batch = data;
    hash = ingress_file_key(o->kind, o->namespace, o->name);

    if (ingress_file_ref(batch, hash, o->kind, o->namespace, o->name)) {
        f = ingress_finding_add(&batch->notes, INGRESS_WARNING,
                                "DuplicateObject", torii_str(""),
                                torii_str(""), "is in this file twice; the "
                                "first one counts");

        f->kind = torii_str(ingress_kind_name(o->kind));
        f->file = batch->node->path;
        f->line = o->line;

        if (f != &batch->notes.spare) {
            f->namespace = torii_arena_str(batch->arena, o->namespace);
            f->name = torii_arena_str(batch->arena, o->name);
        }

        ingress_object_free(o);
        return;
    }

    ref = torii_arena_alloc(batch->arena, sizeof(ingress_folder_ref_t));

    ref->link.hash = hash;
    ref->kind = o->kind;
    ref->namespace = torii_arena_str(batch->arena, o->namespace);
    ref->name = torii_arena_str(batch->arena, o->name);

    ingress_hash_add(&batch->refs, &ref->link);

    if (batch->n == batch->size) {
        batch->size = batch->size ? batch->size * 2 : 4;
        batch->list = torii_realloc(batch->list, batch->size
                                    * sizeof(ingress_folder_ref_t *));
    }

    batch->list[batch->n++] = ref;

    if (ingress_store_set(batch->folder->store, o)) {
        batch->folder->changed = 1;
    }
}


static uint64_t
ingress_file_key(ingress_kind_e kind, torii_str_t namespace, torii_str_t name)
{
    return torii_hash(name.data, name.len,
                      torii_hash(namespace.data, namespace.len, kind));
}


static ingress_folder_ref_t *
ingress_file_ref(const ingress_batch_t *batch, uint64_t hash,
    ingress_kind_e kind, torii_str_t namespace, torii_str_t name)
{
    ingress_folder_ref_t  *ref;

    for (ref = ingress_hash_first(&batch->refs, hash);
         ref != NULL;
         ref = ingress_hash_next(ref))
    {
        if (ref->kind == kind && torii_str_eq(ref->namespace, namespace)
            && torii_str_eq(ref->name, name))
        {
            return ref;
        }
    }

    return NULL;
}


/* What the file held before and holds no more, after all that is new. */

static void
ingress_file_drop(ingress_batch_t *batch)
{
    uint32_t               i;
    ingress_node_t        *node;
    ingress_folder_ref_t  *ref;

    node = batch->node;

    for (i = 0; i < node->nrefs; i++) {
        ref = node->refs[i];

        if (ingress_file_ref(batch, ref->link.hash, ref->kind, ref->namespace,
                             ref->name)
            != NULL)
        {
            continue;
        }

        if (ingress_store_remove(batch->folder->store, ref->kind,
                                 ref->namespace, ref->name, node->path))
        {
            batch->folder->changed = 1;
        }
    }
}


void
ingress_folder_forget(ingress_folder_t *folder, ingress_node_t *node)
{
    uint32_t               i;
    ingress_folder_ref_t  *ref;

    for (i = 0; i < node->nrefs; i++) {
        ref = node->refs[i];

        if (ingress_store_remove(folder->store, ref->kind, ref->namespace,
                                 ref->name, node->path))
        {
            folder->changed = 1;
        }
    }

    node->nrefs = 0;
}
