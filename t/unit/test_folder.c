
/*
 * The folder source on a real folder, poll() on its descriptor.  The store is
 * a recorder: it notes what is set and removed, in order.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ingress_folder.h"
#include "tap.h"


#define STORE_MAX  20000

struct ingress_store_s {
    torii_buf_t         log;
    ingress_object_t   *objects[STORE_MAX];
    uint32_t            n;
};


static char               top[64];       /* the temporary folder */
static char               dir[80];       /* the folder that is read */
static ingress_store_t    store;
static ingress_folder_t  *folder;


int
ingress_store_set(ingress_store_t *s, ingress_object_t *o)
{
    int       changed;
    uint32_t  i;

    for (i = 0; i < s->n; i++) {
        if (s->objects[i]->kind == o->kind
            && torii_str_eq(s->objects[i]->namespace, o->namespace)
            && torii_str_eq(s->objects[i]->name, o->name)
            && torii_str_eq(s->objects[i]->file, o->file))
        {
            break;
        }
    }

    changed = i == s->n || s->objects[i]->version != o->version;

    if (i == s->n) {
        s->n++;

    } else {
        ingress_object_free(s->objects[i]);
    }

    s->objects[i] = o;

    if (changed) {
        torii_buf_printf(&s->log, "+%.*s ", torii_str_arg(o->name));
    }

    return changed;
}


int
ingress_store_remove(ingress_store_t *s, ingress_kind_e kind,
    torii_str_t namespace, torii_str_t name, torii_str_t file)
{
    uint32_t  i;

    for (i = 0; i < s->n; i++) {
        if (s->objects[i]->kind == kind
            && torii_str_eq(s->objects[i]->namespace, namespace)
            && torii_str_eq(s->objects[i]->name, name)
            && torii_str_eq(s->objects[i]->file, file))
        {
            torii_buf_printf(&s->log, "-%.*s ", torii_str_arg(name));
            ingress_object_free(s->objects[i]);
            s->objects[i] = s->objects[--s->n];
            return 1;
        }
    }

    torii_buf_adds(&s->log, "?");

    return 0;
}


static const char *
at(const char *name)
{
    static int   n;
    static char  paths[4][256];

    n = (n + 1) % 4;
    snprintf(paths[n], sizeof(paths[n]), "%s/%s", dir, name);

    return paths[n];
}


static void
save(const char *path, const char *text)
{
    int     fd;
    size_t  len;

    len = strlen(text);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    if (fd == -1 || write(fd, text, len) != (ssize_t) len) {
        perror(path);
        exit(1);
    }

    close(fd);
}


static const char *
namespace(const char *name)
{
    static int   n;
    static char  texts[4][256];

    n = (n + 1) % 4;
    snprintf(texts[n], sizeof(texts[n]), "apiVersion: v1\nkind: Namespace\n"
             "metadata:\n  name: %s\n---\n", name);

    return texts[n];
}


static void
run(const char *command, const char *one, const char *two)
{
    int   rc;
    char  line[1024];

    snprintf(line, sizeof(line), command, one, two);
    rc = system(line);

    if (rc != 0) {
        printf("# \"%s\" failed\n", line);
    }
}


/* Read what events tell of, and what is due within ms milliseconds. */

static int
settle(int ms)
{
    int             rc, wait, changed, all;
    struct pollfd   pfd;
    struct timespec start, now;

    all = 0;
    clock_gettime(CLOCK_MONOTONIC, &start);

    for ( ;; ) {
        do {
            rc = ingress_folder_read(folder, 100, &changed);
            all |= changed;
        } while (rc == TORII_AGAIN);

        clock_gettime(CLOCK_MONOTONIC, &now);
        wait = ms - ((now.tv_sec - start.tv_sec) * 1000
                     + (now.tv_nsec - start.tv_nsec) / 1000000);

        rc = ingress_folder_wait(folder);

        if (wait < 0) {
            wait = 0;
        }

        if (rc != -1 && rc <= wait) {
            wait = rc + 1;

        } else if (ms) {
            break;
        }

        pfd.fd = ingress_folder_fd(folder);
        pfd.events = POLLIN;

        if (poll(&pfd, 1, wait) == 0 && ms == 0) {
            break;
        }
    }

    return all;
}


static int
logged(const char *expected)
{
    int          ok;
    torii_str_t  s;

    s.data = store.log.data;
    s.len = store.log.len;
    ok = torii_str_eqs(s, expected);

    if (!ok) {
        printf("# expected \"%s\", got \"%.*s\"\n", expected,
               torii_str_arg(s));
    }

    store.log.len = 0;

    return ok;
}


static int
found(const char *reason, const char *part)
{
    const ingress_finding_t  *f;

    f = ingress_folder_findings(folder);

    if (reason == NULL) {
        return f == NULL;
    }

    for ( /* void */ ; f != NULL; f = f->next) {
        if (strcmp(f->reason, reason) == 0
            && strstr((char *) f->message.data, part) != NULL)
        {
            return 1;
        }
    }

    return 0;
}


static void
test_files(void)
{
    save(at("a.yaml"), namespace("a"));
    save(at("b.yml"), namespace("b"));
    save(at("c.json"), "{\"apiVersion\": \"v1\", \"kind\": \"Namespace\","
                       " \"metadata\": {\"name\": \"c\"}}");
    save(at("d.txt"), namespace("d"));
    save(at(".e.yaml"), namespace("e"));

    tap_ok(settle(0) && store.n == 3, "what is there is read");
    store.log.len = 0;

    save(at("a.yaml"), namespace("a"));
    tap_ok(settle(0) == 0 && logged(""), "the same content changes nothing");

    save(at("a.yaml"), namespace("f"));
    tap_ok(settle(0) && logged("+f -a "), "new content, the old goes last");

    save(at("new.tmp"), namespace("g"));
    rename(at("new.tmp"), at("a.yaml"));
    tap_ok(settle(0) && logged("+g -f "), "replaced by rename");

    rename(at("a.yaml"), at("z.yaml"));
    tap_ok(settle(0) && logged("+g ") && settle(500) && logged("-g "),
           "renamed: never missing");

    unlink(at("z.yaml"));
    tap_ok(settle(500) && logged("-g "), "removed");

    save(at("z.yaml"), namespace("h"));
    settle(0);
    unlink(at("z.yaml"));
    tap_ok(settle(0) == 0, "a file is gone");
    save(at("z.yaml"), namespace("h"));
    tap_ok(settle(500) == 0 && logged("+h "), "and back before it is missed");

    save(at("z.yaml"), "apiVersion: v1\nkind: List\nitems:\n"
         "- {apiVersion: v1, kind: Namespace, metadata: {name: x}}\n"
         "- {apiVersion: v1, kind: Namespace, metadata: {name: x}}\n");
    tap_ok(settle(0) && logged("+x -h ")
           && found("DuplicateObject", "first one counts"),
           "an object twice in a file");

    save(at("z.yaml"), "");
    tap_ok(settle(0) == 0 && logged("")
           && settle(500) && logged("-x ") && found(NULL, NULL),
           "an emptied file is believed at the second look");
}


/* A writer at work, and something that makes the folder be read meanwhile. */

static void
test_half(void)
{
    int   fd;
    char  text[512];

    snprintf(text, sizeof(text), "%s%s", namespace("i"), namespace("j"));
    save(at("half.yaml"), text);
    settle(0);
    store.log.len = 0;

    fd = open(at("half.yaml"), O_WRONLY | O_TRUNC);
    tap_ok(fd != -1 && write(fd, text, strlen(namespace("i"))) > 0,
           "half of a file");
    chmod(at("half.yaml"), 0600);
    tap_ok(settle(0) == 0 && logged(""), "is not believed");

    close(fd);
    tap_ok(settle(0) && logged("-j "), "until it is closed");

    unlink(at("half.yaml"));
    settle(500);
    store.log.len = 0;
}


static void
test_broken(void)
{
    const ingress_finding_t  *f;

    save(at("b.yml"), "kind: [\n");
    settle(0);
    f = ingress_folder_findings(folder);

    tap_ok(logged("") && found("ParseError", "stays in force"),
           "broken: the last good content stays");
    tap_ok(f != NULL && f->line != 0
           && torii_str_eqs(f->file, at("b.yml")), "and says where");

    tap_ok(settle(250) == 0 && logged(""), "another look changes nothing");

    save(at("b.yml"), namespace("b"));
    tap_ok(settle(0) && logged("") && found(NULL, NULL),
           "mended: no finding left");

    save(at("new.yaml"), "- [");
    tap_ok(settle(0) && found("ParseError", "nothing of it"),
           "broken from the start");
    unlink(at("new.yaml"));
    tap_ok(settle(0) && found(NULL, NULL), "and gone");
}


static void
test_folders(void)
{
    mkdir(at("sub"), 0755);
    mkdir(at("sub/deep"), 0755);
    save(at("sub/deep/s.yaml"), namespace("s"));
    tap_ok(settle(0) && logged("+s "), "a sub-folder that is new");

    save(at("sub/deep/s.yaml"), namespace("t"));
    tap_ok(settle(0) && logged("+t -s "), "is watched");

    rename(at("sub"), at("bus"));
    tap_ok(settle(500) && logged("+t -t "), "renamed");

    save(at("bus/deep/s.yaml"), namespace("u"));
    tap_ok(settle(0) && logged("+u -t "), "is watched under its new name");

    run("mv '%s' '%s'", at("bus"), top);
    tap_ok(settle(500) && logged("-u "), "moved away");

    run("mv '%s/bus' '%s'", top, dir);
    tap_ok(settle(0) && logged("+u "), "and back");

    run("ln -s . '%s'; ln -s '%s/bus'", at("loop"), dir);
    run("ln -s '%s' '%s/bus/deep/up'", dir, dir);
    settle(0);
    tap_ok(found("FolderLoop", "not followed"), "a loop of symlinks");
    unlink(at("loop"));
    unlink(at("bus/deep/up"));
    unlink("bus");
    settle(500);
    store.log.len = 0;

    run("rm -r '%s'%s", at("bus"), "");
    tap_ok(settle(500) && logged("-u ") && found(NULL, NULL),
           "a sub-folder that goes");
}


/* As kubelet does it: ..data points to a folder of the time. */

static void
test_configmap(void)
{
    mkdir(at("cm"), 0755);
    mkdir(at("cm/..1"), 0755);
    mkdir(at("cm/..1/sub"), 0755);
    save(at("cm/..1/k.yaml"), namespace("k"));
    save(at("cm/..1/sub/l.yaml"), namespace("l"));
    symlink("..1", at("cm/..data"));
    symlink("..data/k.yaml", at("cm/k.yaml"));
    symlink("..data/sub", at("cm/sub"));

    tap_ok(settle(0) && store.n == 4, "a mounted ConfigMap");
    store.log.len = 0;

    mkdir(at("cm/..2"), 0755);
    mkdir(at("cm/..2/sub"), 0755);
    save(at("cm/..2/k.yaml"), namespace("m"));
    save(at("cm/..2/sub/l.yaml"), namespace("n"));
    symlink("..2", at("cm/..data_tmp"));
    rename(at("cm/..data_tmp"), at("cm/..data"));
    run("rm -r '%s'%s", at("cm/..1"), "");

    tap_ok(settle(0) && store.n == 4 && strstr((char *) store.log.data, "+m")
           && strstr((char *) store.log.data, "+n")
           && strstr((char *) store.log.data, "-k")
           && strstr((char *) store.log.data, "-l"), "is replaced at once");
    store.log.len = 0;

    save(at("cm/..2/sub/l.yaml"), namespace("o"));
    tap_ok(settle(0) && logged("+o -n "), "its sub-folder is still watched");

    run("rm -r '%s'%s", at("cm"), "");
    tap_ok(settle(500) && store.n == 2, "is unmounted");
    store.log.len = 0;
}


static void
test_symlink(void)
{
    char  target[100];

    snprintf(target, sizeof(target), "%s/target.yaml", top);
    save(target, namespace("p"));
    symlink(target, at("link.yaml"));
    tap_ok(settle(0) && logged("+p "), "a symlink");

    save(target, namespace("q"));
    tap_ok(settle(0) && logged("+q -p "), "to a file that is written");

    run("mv '%s' '%s.old'", target, target);
    tap_ok(settle(0) && logged("") && found("Unreadable", "symlink"),
           "to nothing: the last good content stays");

    save(target, namespace("r"));
    tap_ok(settle(500) && logged("+r -q ") && found(NULL, NULL),
           "to a file again");

    unlink(at("link.yaml"));
    tap_ok(settle(500) && logged("-r "), "a symlink that goes");
}


static void
test_unreadable(void)
{
    /* as root every file can be read: be somebody else for a while */

    mkdir(at("locked"), 0755);
    save(at("locked/v.yaml"), namespace("v"));
    settle(0);
    store.log.len = 0;

    chmod(at("b.yml"), 0);
    chmod(at("locked"), 0);

    if (geteuid() == 0 && seteuid(65534) != 0) {
        tap_ok(0, "cannot be another user");
        return;
    }

    settle(0);
    tap_ok(logged("") && found("Unreadable", "may not read this file: give "
                               "it the right \"r\"; its last good"),
           "a file without the right");
    tap_ok(found("Unreadable", "may not read this folder"),
           "a folder without the right");

    if (seteuid(0) != 0) {
        printf("# not root\n");
    }

    chmod(at("b.yml"), 0644);
    chmod(at("locked"), 0755);
    settle(0);
    tap_ok(logged("") && found(NULL, NULL), "the right is given");

    mkfifo(at("pipe.yaml"), 0644);
    settle(0);
    tap_ok(found("Unreadable", "regular"), "a pipe does not block");
    unlink(at("pipe.yaml"));

    run("rm -r '%s'%s", at("locked"), "");
    settle(500);
    store.log.len = 0;
}


static void
test_folder_missing(void)
{
    char  other[100];

    snprintf(other, sizeof(other), "%s/other", top);

    rename(dir, other);
    settle(0);
    tap_ok(logged("") && found("MissingFolder", "does not exist"),
           "the folder is missing: all stays in force");

    rename(other, dir);
    tap_ok(settle(0) && logged("") && found(NULL, NULL), "and is back");

    save(at("w.yaml"), namespace("w"));
    tap_ok(settle(0) && logged("+w "), "and watched");
}


static void
test_many(void)
{
    int              i;
    char             name[32];
    struct timespec  start, now;

    for (i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "m%d", i);
        save(at("tmp"), namespace(name));
        snprintf(name, sizeof(name), "m%d.yaml", i);
        rename(at("tmp"), at(name));
    }

    clock_gettime(CLOCK_MONOTONIC, &start);
    settle(0);
    clock_gettime(CLOCK_MONOTONIC, &now);

    tap_ok(store.n == 1003, "1,000 files at once");
    printf("# in %ld ms\n", (long) ((now.tv_sec - start.tv_sec) * 1000
                            + (now.tv_nsec - start.tv_nsec) / 1000000));

    for (i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "m%d.yaml", i);
        unlink(at(name));
    }

    settle(500);
    tap_ok(store.n == 3, "and gone again");
    store.log.len = 0;
}


/* More events than the queue holds, if that can be had without root's help. */

static void
test_overflow(void)
{
    int    i, max;
    FILE  *f;

    max = 16384;
    f = fopen("/proc/sys/fs/inotify/max_queued_events", "r");

    if (f != NULL) {
        if (fscanf(f, "%d", &max) != 1) {
            max = 16384;
        }

        fclose(f);
    }

    for (i = 0; i <= max / 2; i++) {
        save(at("x.txt"), "");
        unlink(at("x.txt"));
    }

    save(at("late.yaml"), namespace("late"));
    tap_ok(settle(0) && logged("+late "), "after an overflow all is read");

    unlink(at("late.yaml"));
    settle(500);
    store.log.len = 0;
}


static void
test_single(void)
{
    int   changed;
    char  path[100];

    snprintf(path, sizeof(path), "%s/single", top);
    save(path, namespace("single"));

    folder = ingress_folder_open(path, &store, 0);
    tap_ok(ingress_folder_fd(folder) == -1
           && ingress_folder_read(folder, 0, &changed) == TORII_OK
           && changed && logged("+single ")
           && ingress_folder_wait(folder) == -1, "one file, once");
    ingress_folder_close(folder);

    folder = ingress_folder_open(path, &store, 1);
    settle(0);
    store.log.len = 0;

    save(path, namespace("other"));
    tap_ok(settle(0) && logged("+other -single "), "one file, watched");

    run("sed s/other/third/ '%s' > '%s.new'", path, path);
    run("mv '%s.new' '%s'", path, path);
    tap_ok(settle(0) && logged("+third -other "), "and replaced by rename");
    ingress_folder_close(folder);

    snprintf(path, sizeof(path), "%s/none", top);
    folder = ingress_folder_open(path, &store, 0);
    ingress_folder_read(folder, 0, &changed);
    tap_ok(changed && found("MissingFolder", "not exist"), "nothing at all");
    ingress_folder_close(folder);
}


static void
test_polling(void)
{
    struct rlimit  limit, low;

    getrlimit(RLIMIT_NOFILE, &limit);
    low = limit;
    low.rlim_cur = 3;
    setrlimit(RLIMIT_NOFILE, &low);

    folder = ingress_folder_open(dir, &store, 1);

    setrlimit(RLIMIT_NOFILE, &limit);
    settle(0);

    tap_ok(ingress_folder_fd(folder) == -1
           && found("Polling", "max_user_instances")
           && ingress_folder_wait(folder) > 0, "without inotify: polling");

    ingress_folder_close(folder);
    store.log.len = 0;
}


/* As git-sync does it: the symlink is the folder's own path. */

static void
test_linked(void)
{
    int   i;
    char  link[100], next[100], one[100], two[100], file[120];

    snprintf(link, sizeof(link), "%s/current", top);
    snprintf(next, sizeof(next), "%s/next", top);
    snprintf(one, sizeof(one), "%s/one", top);
    snprintf(two, sizeof(two), "%s/two", top);

    for (i = 0; i < 2; i++) {
        mkdir(i ? two : one, 0755);
        snprintf(file, sizeof(file), "%s/g.yaml", i ? two : one);
        save(file, namespace(i ? "two" : "one"));
    }

    symlink(one, link);

    folder = ingress_folder_open(link, &store, 1);
    settle(0);
    tap_ok(logged("+one ") && ingress_folder_wait(folder) >= 0,
           "the folder is a symlink");

    symlink(two, next);
    rename(next, link);
    tap_ok(settle(0) && logged("+two -one "), "that is exchanged");

    snprintf(file, sizeof(file), "%s/g.yaml", two);
    save(file, namespace("three"));
    tap_ok(settle(0) && logged("+three -two "), "and watched where it is");

    ingress_folder_close(folder);
}


int
main(void)
{
    uint32_t  i;

    snprintf(top, sizeof(top), "/tmp/torii-folder-XXXXXX");

    if (mkdtemp(top) == NULL || chdir(top) != 0) {
        perror(top);
        return 1;
    }

    chmod(top, 0755);
    snprintf(dir, sizeof(dir), "%s/manifests", top);

    folder = ingress_folder_open(dir, &store, 1);
    settle(0);
    tap_ok(found("MissingFolder", "not exist"), "no folder yet");

    mkdir(dir, 0755);
    tap_ok(settle(0) && found(NULL, NULL), "there it is");

    test_files();
    test_half();
    test_broken();
    test_folders();
    test_configmap();
    test_symlink();
    test_unreadable();
    test_folder_missing();
    test_many();
    test_overflow();

    ingress_folder_close(folder);

    test_single();
    test_linked();
    test_polling();

    for (i = 0; i < store.n; i++) {
        ingress_object_free(store.objects[i]);
    }

    torii_buf_free(&store.log);
    run("rm -rf '%s'%s", top, "");

    return tap_done();
}
