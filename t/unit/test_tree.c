
/*
 * YAML and JSON to trees: what scalars mean, structure, errors, limits.
 */

#include <stdlib.h>

#include "torii_tree.h"
#include "tap.h"


typedef struct {
    const char  *in;
    const char  *out;
} test_text_t;


/* null n, true T(as written), 1 i(1), 1.5 f(1.5), "x" x, [a,b], {k:v} */

static void
test_dump(torii_buf_t *b, const torii_node_t *node)
{
    uint32_t  i;

    switch (node->type) {

    case TORII_NODE_NULL:
        torii_buf_adds(b, "n");
        break;

    case TORII_NODE_BOOL:
        torii_buf_printf(b, "%s(%.*s)", node->boolean ? "T" : "F",
                         torii_str_arg(node->text));
        break;

    case TORII_NODE_INT:
        torii_buf_printf(b, "i(%.*s)", torii_str_arg(node->text));
        break;

    case TORII_NODE_REAL:
        torii_buf_printf(b, "f(%.*s)", torii_str_arg(node->text));
        break;

    case TORII_NODE_STRING:
        torii_buf_add_json(b, node->text);
        break;

    case TORII_NODE_LIST:
        torii_buf_adds(b, "[");

        for (i = 0; i < node->n; i++) {
            torii_buf_adds(b, i ? "," : "");
            test_dump(b, node->items[i]);
        }

        torii_buf_adds(b, "]");
        break;

    case TORII_NODE_MAP:
        torii_buf_adds(b, "{");

        for (i = 0; i < node->n; i++) {
            torii_buf_adds(b, i ? "," : "");
            torii_buf_add_str(b, node->keys[i]);
            torii_buf_adds(b, ":");
            test_dump(b, node->items[i]);
        }

        torii_buf_adds(b, "}");
        break;
    }
}


static const test_text_t  test_yamls[] = {

    /* no documents, and many */
    { "", "" },
    { "# nothing\n", "" },
    { "---\n---\n# x\n---\n...\n", "" },
    { "~", "" },
    { "a", "\"a\";" },
    { "---\na: 1\n---\nb: 2\n...\n---\n- c\n", "{a:i(1)};{b:i(2)};[\"c\"];" },
    { "%YAML 1.1\n---\na: b\n", "{a:\"b\"};" },
    { "\xef\xbb\xbf" "a: b\n", "{a:\"b\"};" },
    { "\xff\xfe" "a\0:\0 \0b\0", "{a:\"b\"};" },

    /* scalars */
    { "[yes, Yes, YES, y, Y, on, On, ON, true, True, TRUE]",
      "[T(yes),T(Yes),T(YES),T(y),T(Y),T(on),T(On),T(ON),T(true),T(True),"
      "T(TRUE)];" },
    { "[no, No, NO, n, N, off, Off, OFF, false, False, FALSE]",
      "[F(no),F(No),F(NO),F(n),F(N),F(off),F(Off),F(OFF),F(false),F(False),"
      "F(FALSE)];" },
    { "[yEs, oN, tRUE, nO, yess, o, t, nULL, null5]",
      "[\"yEs\",\"oN\",\"tRUE\",\"nO\",\"yess\",\"o\",\"t\",\"nULL\","
      "\"null5\"];" },
    { "[null, Null, NULL, ~]", "[n,n,n,n];" },
    { "a:\nb: \"\"\nc: ''\n", "{a:n,b:\"\",c:\"\"};" },
    { "[\"yes\", 'no', \"1\", '1.5', \"null\", '~']",
      "[\"yes\",\"no\",\"1\",\"1.5\",\"null\",\"~\"];" },
    { "[0, 1, -1, +1, 10_000, 0x1F, -0xa, 0o17, 017, 00, 0b101, -0b1]",
      "[i(0),i(1),i(-1),i(+1),i(10_000),i(0x1F),i(-0xa),i(0o17),i(017),i(00),"
      "i(0b101),i(-0b1)];" },
    { "[08, 1.5, .5, -.5, 1., 1e3, 1E-3, 12e03, .inf, -.Inf, +.INF, .nan]",
      "[f(08),f(1.5),f(.5),f(-.5),f(1.),f(1e3),f(1E-3),f(12e03),f(.inf),"
      "f(-.Inf),f(+.INF),f(.nan)];" },
    { "[9223372036854775807, 123456789012345678901]",
      "[i(9223372036854775807),f(123456789012345678901)];" },
    { "[0x, 0xg, 0o8, 0b2, ., .e1, 1e, 1e+, +, +_, 1.2.3, 1:30, 1@, 1`]",
      "[\"0x\",\"0xg\",\"0o8\",\"0b2\",\".\",\".e1\",\"1e\",\"1e+\",\"+\","
      "\"+_\",\"1.2.3\",\"1:30\",\"1@\",\"1`\"];" },
    { "[10.0.0.1, 2001-12-14, 1k, 16m, -.nan, 1 2]",
      "[\"10.0.0.1\",\"2001-12-14\",\"1k\",\"16m\",\"-.nan\",\"1 2\"];" },
    { "a: \"\\x41\\u00e4\\n\\0\"", "{a:\"A\xc3\xa4\\n\\u0000\"};" },
    { "a: |\n  x\n   y\n\n  z\nb: >-\n  x\n  y\n",
      "{a:\"x\\n y\\n\\nz\\n\",b:\"x y\"};" },
    { "a: x\n  y\n", "{a:\"x y\"};" },

    /* tags */
    { "[!!str 1, !!str yes, !!int 5, !!float 5, !!bool on, !!null ~, !!str ]",
      "[\"1\",\"yes\",i(5),f(5),T(on),n,\"\"];" },
    { "!!map {a: !!seq [!!timestamp 2001-12-14]}",
      "{a:[\"2001-12-14\"]};" },
    { "{!!str 1: a}", "{1:\"a\"};" },

    /* structure */
    { "{}", "{};" },
    { "[]", "[];" },
    { "[{}, [], {a: []}]", "[{},[],{a:[]}];" },
    { "a:\n- 1\n- b: 2\n  c: 3\n-\n  - 4\n",
      "{a:[i(1),{b:i(2),c:i(3)},[i(4)]]};" },
    { "{\"a\": {\"b\": [1, 2.5, true, null, \"x\"]}}",
      "{a:{b:[i(1),f(2.5),T(true),n,\"x\"]}};" },
    { "{1: a, yes: b, ~: c, \"q\": d}",
      "{1:\"a\",yes:\"b\",~:\"c\",q:\"d\"};" },
    { "? a\n: b\n? c\n", "{a:\"b\",c:n};" },

    /* anchors, aliases, merging */
    { "a: &x {k: 1}\nb: *x\nc: [*x, *x]\n",
      "{a:{k:i(1)},b:{k:i(1)},c:[{k:i(1)},{k:i(1)}]};" },
    { "[&a 1, *a, &a 2, *a]", "[i(1),i(1),i(2),i(2)];" },
    { "{&k key: 1, v: *k}", "{key:i(1),v:\"key\"};" },
    { "a: &k key\n*k : 1\n", "{a:\"key\",key:i(1)};" },
    { "b: &b {x: 1, y: 2}\nc:\n  <<: *b\n  y: 3\n",
      "{b:{x:i(1),y:i(2)},c:{y:i(3),x:i(1)}};" },
    { "[&a {x: 1}, &b {x: 2, y: 2}, {<<: [*a, *b], z: 3}]",
      "[{x:i(1)},{x:i(2),y:i(2)},{z:i(3),x:i(1),y:i(2)}];" },
    { "{<<: {a: 1}}", "{a:i(1)};" },
    { "{\"<<\": {a: 1}}", "{<<:{a:i(1)}};" }
};


static const test_text_t  test_yaml_errors[] = {
    { "a: 1\nb: [1, 2\nc: 3\n", "line 3, column 2: " },
    { "a: 1\n\tb: 2\n", "line 2, column 1: " },
    { "a:\n\t- b\n",
      "line 2, column 1: the line is indented with a tab; use spaces" },
    { "a: b: c\n", "line 1, column 5: " },
    { "a: 1\na: 2\n", "line 2, column 1: duplicate key \"a\"" },
    { "x:\n  a: 1\n  b: 2\n  a: 3\n", "line 4, column 3: duplicate key \"a\"" },
    { "{\"a\\n\": 1, \"a\\n\": 2}",
      "line 1, column 12: duplicate key \"a?\"" },
    { "{a: 1, b: 2, c: 3, d: 4, e: 5, f: 6, g: 7, h: 8, i: 9, j: 1, k: 2,\n"
      " l: 3, m: 4, n: 5, o: 6, e: 7}",
      "line 2, column 26: duplicate key \"e\"" },
    { "a: *x\n", "line 1, column 4: an alias of an unknown anchor" },
    { "&a 1\n---\n*a\n", "line 3, column 1: an alias of an unknown anchor" },
    { "a: &x\n  b: *x\n", "line 2, column 6: an alias inside its own anchor" },
    { "&a [*a]", "line 1, column 5: an alias inside its own anchor" },
    { "[a, b]: c\n", "line 1, column 1: a list or map cannot be a key" },
    { "? {a: b}\n: c\n", "line 1, column 3: a list or map cannot be a key" },
    { "a: !x y\n", "line 1, column 4: unknown tag" },
    { "a: !!binary aGk=\n", "line 1, column 4: unknown tag" },
    { "a: !!set {b}\n", "line 1, column 4: unknown tag" },
    { "a: !!int x\n", "line 1, column 4: the value is not what its tag says" },
    { "<<: 1\n", "line 1, column 1: \"<<\" merges a map or a list of maps" },
    { "<<: [{a: 1}, 2]\n", "line 1, column 1: \"<<\" merges" },
    { "<<: {a: 1}\n<<: {b: 1}\n", "line 2, column 1: duplicate key \"<<\"" },
    { "a: b\nc: \xff\n", "line 2, column 4: invalid leading UTF-8 octet" },
    { "a: b\nc: x\x01y\n", "line 2, column 5: control characters" },
    { "a: @b\n", "line 1, column 4: found character" },
    { "{{ .Values.x }}: 1\n",
      "line 1, column 2: a list or map cannot be a key" },
    { "a: \"b\n", "line 2, column 1: found unexpected end of stream" }
};


static const test_text_t  test_jsons[] = {
    { "{\"a\": [1, -2, 1.5, 0.1, 2.0, 1e300, true, false, null, \"x\"],"
      " \"b\": {}}",
      "{a:[i(1),i(-2),f(1.5),f(0.1),f(2.0),f(1e+300),T(true),F(false),n,\"x\"],"
      "b:{}}"
    },
    { "[]", "[]" },
    { "\"\\u00e4\\u0000[{,\\\"\\\\\"", "\"\xc3\xa4\\u0000[{,\\\"\\\\\"" },
    { "1", "i(1)" }
};


static const test_text_t  test_json_errors[] = {
    { "", "line 1, column " },
    { "{\"a\": 1, \"a\": 2}", "line 1, column 12: duplicate object key" },
    { "{\n  \"a\": secret\n}", "line 2, column 13: invalid token" },
    { "{\"a\": 1} x", "line 1, column 10: end of file expected" },
    { "[1, 2", "line 1, column 5: ']' expected" },
    { "]]]]]", "line 1, column 1: unexpected token" },
    { "\"\xff\"", "line 1, column " },
    { "[[[[[[1]]]]]]", "line 1, column 6: nested too deeply" },
    { "[1,2,3,4,5,\n6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21]",
      "line 2, column 38: too many values" }
};


static void
test_yaml(void)
{
    int                 rc;
    size_t              i, len;
    uint32_t            d, n;
    torii_str_t         in, out;
    torii_buf_t         b = { NULL, 0, 0 };
    torii_node_t      **docs;
    torii_arena_t      *a;
    const test_text_t  *t;
    torii_tree_error_t  error;

    for (i = 0; i < sizeof(test_yamls) / sizeof(test_yamls[0]); i++) {
        t = &test_yamls[i];
        a = torii_arena_create(1024);

        /* the one in UTF-16 has zeros in it */

        len = (t->in[0] == '\xff') ? 10 : strlen(t->in);

        in.data = (unsigned char *) t->in;
        in.len = len;
        b.len = 0;

        rc = torii_tree_yaml(a, in, &torii_tree_limits, &docs, &n, &error);

        for (d = 0; rc == TORII_OK && d < n; d++) {
            test_dump(&b, docs[d]);
            torii_buf_adds(&b, ";");
        }

        out.data = b.data;
        out.len = b.len;

        if (!tap_ok(rc == TORII_OK && torii_str_eqs(out, t->out),
                    "YAML %zu", i))
        {
            printf("# %s\n# %.*s\n", rc ? error.text : t->in,
                   torii_str_arg(out));
        }

        torii_arena_destroy(a);
    }

    torii_buf_free(&b);
}


static void
test_yaml_error(void)
{
    int                 rc;
    size_t              i;
    uint32_t            n;
    torii_node_t      **docs;
    torii_arena_t      *a;
    const test_text_t  *t;
    torii_tree_error_t  error;

    a = torii_arena_create(4096);

    for (i = 0; i < sizeof(test_yaml_errors) / sizeof(test_text_t); i++) {
        t = &test_yaml_errors[i];
        error.text[0] = '\0';

        rc = torii_tree_yaml(a, torii_str(t->in), &torii_tree_limits, &docs,
                             &n, &error);

        tap_ok(rc == TORII_ERROR
               && strncmp(error.text, t->out, strlen(t->out)) == 0,
               "YAML is refused: %s", error.text);
    }

    torii_arena_destroy(a);
}


static void
test_json(void)
{
    int                   rc;
    size_t                i;
    torii_buf_t           b = { NULL, 0, 0 };
    torii_str_t           out;
    torii_node_t         *doc;
    torii_arena_t        *a;
    const test_text_t    *t;
    torii_tree_error_t    error;
    torii_tree_limits_t   limits = { 1000, 20, 5 };

    a = torii_arena_create(4096);

    for (i = 0; i < sizeof(test_jsons) / sizeof(test_text_t); i++) {
        t = &test_jsons[i];
        b.len = 0;

        rc = torii_tree_json(a, torii_str(t->in), &limits, &doc, &error);

        if (rc == TORII_OK) {
            test_dump(&b, doc);
        }

        out.data = b.data;
        out.len = b.len;

        if (!tap_ok(rc == TORII_OK && torii_str_eqs(out, t->out), "JSON %zu",
                    i))
        {
            printf("# %s %.*s\n", rc ? error.text : "", torii_str_arg(out));
        }
    }

    for (i = 0; i < sizeof(test_json_errors) / sizeof(test_text_t); i++) {
        t = &test_json_errors[i];
        error.text[0] = '\0';

        rc = torii_tree_json(a, torii_str(t->in), &limits, &doc, &error);

        tap_ok(rc == TORII_ERROR
               && strncmp(error.text, t->out, strlen(t->out)) == 0
               && strstr(error.text, "secret") == NULL,
               "JSON is refused: %s", error.text);
    }

    torii_arena_destroy(a);
    torii_buf_free(&b);
}


static void
test_position(void)
{
    uint32_t             n;
    torii_node_t       **docs, *rule, *path;
    torii_arena_t       *a;
    torii_tree_error_t   error;

    a = torii_arena_create(4096);

    if (torii_tree_yaml(a, torii_str("kind: X\nrules:\n- host: a\n"
                                     "  path: &p |\n    x\n"),
                        &torii_tree_limits, &docs, &n, &error) != TORII_OK)
    {
        tap_ok(0, "%s", error.text);
        return;
    }

    rule = torii_node_get(docs[0], "rules");
    tap_ok(rule->line == 3 && rule->column == 1, "position of a list");

    rule = rule->items[0];
    tap_ok(rule->line == 3 && rule->column == 3, "position of a map");

    path = torii_node_get(rule, "path");
    tap_ok(path->line == 4 && path->column == 9, "position of a string");

    tap_ok(path->text.data[path->text.len] == '\0', "NUL after a text");

    tap_ok(torii_node_get(docs[0], "none") == NULL
           && torii_node_get(NULL, "kind") == NULL
           && torii_node_get(path, "kind") == NULL
           && torii_node_get(docs[0], "kin") == NULL, "no such key");

    torii_arena_destroy(a);
}


static void
test_what(void)
{
    char                 buf[64];
    size_t               i;
    uint32_t             n;
    torii_node_t       **docs;
    torii_arena_t       *a;
    torii_tree_error_t   error;
    static const char   *words[] = {
        "a map", "a list", "a string", "the number 0x1",
        "the number 1.5", "the boolean on", "null"
    };

    a = torii_arena_create(4096);

    if (torii_tree_yaml(a, torii_str("[{}, [], x, 0x1, 1.5, on, ~]"),
                        &torii_tree_limits, &docs, &n, &error) != TORII_OK)
    {
        tap_ok(0, "%s", error.text);
        return;
    }

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        tap_ok(strcmp(torii_node_what(docs[0]->items[i], buf), words[i]) == 0,
               "%s", words[i]);
    }

    tap_ok(strcmp(torii_node_what(NULL, buf), "nothing") == 0, "nothing");

    torii_arena_destroy(a);
}


static int
test_limit(const char *text, uint32_t nodes, uint32_t depth, size_t bytes,
    torii_tree_error_t *error)
{
    int                   rc;
    uint32_t              n;
    torii_node_t        **docs;
    torii_arena_t        *a;
    torii_tree_limits_t   limits;

    limits.bytes = bytes;
    limits.nodes = nodes;
    limits.depth = depth;

    error->text[0] = '\0';

    a = torii_arena_create(4096);
    rc = torii_tree_yaml(a, torii_str(text), &limits, &docs, &n, error);
    torii_arena_destroy(a);

    return rc;
}


static void
test_limits(void)
{
    int                  i;
    size_t               len;
    char                 bomb[2048];
    torii_tree_error_t   error;

    len = (size_t) snprintf(bomb, sizeof(bomb), "a0: &a0 [x, x]\n");

    for (i = 1; i < 40; i++) {
        len += (size_t) snprintf(bomb + len, sizeof(bomb) - len,
                                 "a%d: &a%d [*a%d, *a%d]\n", i, i, i - 1,
                                 i - 1);
    }

    tap_ok(test_limit(bomb, 4000000, 64, 0, &error) == TORII_ERROR
           && strstr(error.text, "too many values by aliases") != NULL,
           "a bomb of aliases: %s", error.text);

    tap_ok(test_limit("[&a xxxxxxxxxxxxxxxxxxxx, *a, *a]", 0, 0, 33, &error)
           == TORII_OK
           && test_limit("[&a xxxxxxxxxxxxxxxxxxxx, *a, *a, *a]", 0, 0, 37,
                         &error) == TORII_ERROR, "bytes by aliases");

    tap_ok(test_limit("[1, 2, 3]", 4, 8, 0, &error) == TORII_OK
           && test_limit("[1, 2, 3, 4]", 4, 8, 0, &error) == TORII_ERROR,
           "values");

    tap_ok(test_limit("[[[]]]", 0, 3, 0, &error) == TORII_OK
           && test_limit("[[[[]]]]", 0, 3, 0, &error) == TORII_ERROR,
           "depth");

    tap_ok(test_limit("- &a [[]]\n- *a\n", 0, 3, 0, &error) == TORII_OK
           && test_limit("- &a [[]]\n- [*a]\n", 0, 3, 0, &error)
              == TORII_ERROR, "depth by aliases");

    tap_ok(test_limit("[1, 2]", 0, 0, 6, &error) == TORII_OK
           && test_limit("[1, 2] ", 0, 0, 6, &error) == TORII_ERROR,
           "bytes: %s", error.text);
}


/* Sixteen directives are read, a megabyte of them is refused at once. */

static void
test_directives(void)
{
    size_t               i;
    torii_buf_t          b = { NULL, 0, 0 };
    torii_tree_error_t   error;

    for (i = 0; i < 16; i++) {
        torii_buf_printf(&b, "%%TAG !a%zu! tag:yaml.org,2002:\n", i);
    }

    torii_buf_add(&b, "--- !a15!str 1\n\0", 16);

    tap_ok(test_limit((char *) b.data, 0, 0, 0, &error) == TORII_OK,
           "tag directives");

    b.len = 0;

    while (b.len < 1000000) {
        torii_buf_printf(&b, "%%TAG !a%zu! x\n", b.len);
    }

    torii_buf_add(&b, "---\n\0", 5);

    tap_ok(test_limit((char *) b.data, 0, 0, 0, &error) == TORII_ERROR,
           "too many tag directives");

    torii_buf_free(&b);
}


static void
test_large(void)
{
    int                  rc;
    size_t               i, size;
    uint32_t             n;
    torii_str_t          in;
    torii_node_t       **docs;
    torii_arena_t       *a;
    torii_tree_error_t   error;

    size = 10 * 1024 * 1024;
    a = torii_arena_create(4096);

    in.len = size;
    in.data = torii_malloc(size + 1);

    memset(in.data, 'x', size);
    memcpy(in.data, "{\"k\":\"", 6);
    memcpy(in.data + size - 2, "\"}", 2);

    rc = torii_tree_yaml(a, in, &torii_tree_limits, &docs, &n, &error);
    tap_ok(rc == TORII_OK && docs[0]->items[0]->text.len == size - 8,
           "a large string in YAML");

    rc = torii_tree_json(a, in, &torii_tree_limits, docs, &error);
    tap_ok(rc == TORII_OK && docs[0]->items[0]->text.len == size - 8,
           "a large string in JSON");

    for (i = 0; i < size; i += 10) {
        (void) snprintf((char *) in.data + i, 11, "k%07zu:\n", i / 10);
    }

    in.len = 1000000;

    rc = torii_tree_yaml(a, in, &torii_tree_limits, &docs, &n, &error);
    tap_ok(rc == TORII_OK && docs[0]->n == 100000
           && torii_node_get(docs[0], "k0099999") != NULL, "a large map");

    free(in.data);
    torii_arena_destroy(a);
}


int
main(void)
{
    test_yaml();
    test_yaml_error();
    test_json();
    test_position();
    test_what();
    test_limits();
    test_directives();
    test_large();

    return tap_done();
}
