
/*
 * The folder source as its owner sees it: open, read what is new, wait.
 */

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "ingress_folder_node.h"


static void ingress_folder_tick(ingress_folder_t *folder, int64_t now);
static void ingress_folder_retry(ingress_folder_t *folder, int64_t now);
static ingress_node_t *ingress_queue_take(ingress_folder_queue_t *queue);
static void ingress_folder_list(ingress_folder_t *folder);
static int ingress_folder_order(const void *one, const void *two);


ingress_folder_t *
ingress_folder_open(const char *path, ingress_store_t *store, int watch)
{
    char              *p;
    size_t             len;
    ingress_folder_t  *folder;

    folder = torii_zalloc(sizeof(ingress_folder_t));

    folder->store = store;
    folder->fd = -1;
    folder->parent = -1;
    folder->watch = watch != 0;

    len = strlen(path);

    while (len > 1 && path[len - 1] == '/') {
        len--;
    }

    p = torii_malloc(len + 1);
    memcpy(p, path, len);
    p[len] = '\0';

    folder->path.data = (unsigned char *) p;
    folder->path.len = len;

    p = strrchr(p, '/');
    folder->base = p != NULL ? p + 1 : (char *) folder->path.data;

    if (watch) {
        ingress_folder_watch_open(folder);
    }

    ingress_folder_want(folder, NULL, 1);

    return folder;
}


void
ingress_folder_close(ingress_folder_t *folder)
{
    uint32_t  i;

    if (folder == NULL) {
        return;
    }

    while (folder->nodes != NULL) {
        ingress_node_free(folder, folder->nodes);
    }

    for (i = 0; i < folder->nscans; i++) {
        free(folder->scans[i].path);
    }

    if (folder->fd != -1) {
        (void) close(folder->fd);
    }

    ingress_hash_free(&folder->paths);
    ingress_hash_free(&folder->watches);
    torii_buf_free(&folder->buf);
    torii_arena_destroy(folder->arena);

    free(folder->path.data);
    free(folder->user);
    free(folder);
}


int
ingress_folder_fd(ingress_folder_t *folder)
{
    return folder->fd;
}


/* changed is kept over calls that end in TORII_AGAIN. */

int
ingress_folder_read(ingress_folder_t *folder, uint32_t budget, int *changed)
{
    uint32_t         n;
    ingress_node_t  *node;

    if (folder->fd != -1) {
        ingress_folder_events(folder);
    }

    if (folder->watch) {
        ingress_folder_tick(folder, ingress_folder_now());
    }

    ingress_folder_scan(folder);

    if (folder->limit != folder->told) {
        folder->told = folder->limit;
        folder->noted = 1;
    }

    for (n = 0; budget == 0 || n < budget; n++) {

        node = ingress_queue_take(&folder->queue);

        if (node != NULL) {
            ingress_folder_file(folder, node, 0);
            continue;
        }

        node = ingress_queue_take(&folder->gone);
        if (node == NULL) {
            break;
        }

        ingress_folder_file(folder, node, 1);
    }

    *changed = folder->changed || folder->noted;

    if (folder->queue.first != NULL || folder->gone.first != NULL) {
        return TORII_AGAIN;
    }

    folder->changed = 0;

    if (folder->noted) {
        folder->noted = 0;
        ingress_folder_list(folder);
    }

    return TORII_OK;
}


int
ingress_folder_wait(ingress_folder_t *folder)
{
    int64_t  at, now;

    if (folder->queue.first != NULL || folder->gone.first != NULL
        || folder->nscans)
    {
        return 0;
    }

    if (!folder->watch) {
        return -1;
    }

    at = folder->retry;

    if (folder->look && (at == 0 || folder->look < at)) {
        at = folder->look;
    }

    if (at == 0) {
        return -1;
    }

    now = ingress_folder_now();

    return at <= now ? 0 : (int) (at - now);
}


const ingress_finding_t *
ingress_folder_findings(ingress_folder_t *folder)
{
    return folder->findings;
}


int64_t
ingress_folder_now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


static void
ingress_folder_tick(ingress_folder_t *folder, int64_t now)
{
    struct stat  st;

    if (folder->retry && folder->retry <= now) {
        ingress_folder_retry(folder, now);
    }

    if (folder->look == 0 || folder->look > now) {
        return;
    }

    folder->look = now + (folder->polling ? INGRESS_FOLDER_POLL
                                          : INGRESS_FOLDER_LOOK);

    if (folder->polling
        || stat((char *) folder->path.data, &st) != 0
        || st.st_dev != folder->dev || st.st_ino != folder->ino)
    {
        ingress_folder_want(folder, NULL, 0);
    }
}


static void
ingress_folder_retry(ingress_folder_t *folder, int64_t now)
{
    int64_t          next;
    ingress_node_t  *node;

    next = 0;

    for (node = folder->nodes; node != NULL; node = node->next) {

        if (node->retry == 0) {
            continue;
        }

        if (node->retry > now) {
            if (next == 0 || node->retry < next) {
                next = node->retry;
            }

            continue;
        }

        node->retry = 0;

        if (node->dir) {
            ingress_folder_want(folder, (char *) node->path.data, 0);

        } else {
            ingress_node_queue(folder, node);
        }
    }

    folder->retry = next;
}


static ingress_node_t *
ingress_queue_take(ingress_folder_queue_t *queue)
{
    ingress_node_t  *node;

    node = queue->first;
    if (node == NULL) {
        return NULL;
    }

    queue->first = node->queue;
    node->queue = NULL;
    node->queued = 0;

    return node;
}


/* In order of paths, which no order of events can change. */

static void
ingress_folder_list(ingress_folder_t *folder)
{
    uint32_t              i, n;
    ingress_node_t       *node, **nodes;
    ingress_finding_t    *f;
    ingress_findings_t    list;

    torii_arena_destroy(folder->arena);
    folder->arena = torii_arena_create(1024);

    ingress_findings_init(&list, folder->arena);

    if (folder->limit != NULL) {
        f = ingress_finding_add(&list, INGRESS_WARNING, "Polling",
                                torii_str(""), torii_str(""),
                                "%s; changes are looked for every %d seconds",
                                folder->limit, INGRESS_FOLDER_POLL / 1000);
        f->kind = torii_str("File");
        f->name = torii_arena_str(folder->arena, folder->path);
        f->file = f->name;
    }

    n = 0;

    for (node = folder->nodes; node != NULL; node = node->next) {
        n += node->trouble != NULL || node->notes != NULL;
    }

    nodes = torii_malloc(n * sizeof(ingress_node_t *));
    n = 0;

    for (node = folder->nodes; node != NULL; node = node->next) {
        if (node->trouble != NULL || node->notes != NULL) {
            nodes[n++] = node;
        }
    }

    qsort(nodes, n, sizeof(ingress_node_t *), ingress_folder_order);

    for (i = 0; i < n; i++) {

        for (f = nodes[i]->trouble; f != NULL; f = f->next) {
            ingress_finding_copy(&list, f);
        }

        for (f = nodes[i]->notes; f != NULL; f = f->next) {
            ingress_finding_copy(&list, f);
        }
    }

    free(nodes);

    folder->findings = list.first;
}


static int
ingress_folder_order(const void *one, const void *two)
{
    const ingress_node_t *const  *a = one;
    const ingress_node_t *const  *b = two;

    return strcmp((char *) (*a)->path.data, (char *) (*b)->path.data);
}
