//! Settings from flags, variables, the file and the installers, and their faults.

use crate::binary::Home;

const UPSTREAM: &str = "https://pypi.example.org/simple/";

const FAULTY: &str = r#"
listen = ["127.0.0.1:3141", "localhost", 5]
data-dir = 7
log = "loud"
default = "corp/prod"
colour = "blue"

[cache]
max-size = "ten gigabytes"
max_size = "10 GiB"

[mirror."root/pypi"]
upsteam = "https://pypi.example.org/simple/"
fresh-for = "soon"
missing = [404, 200]
file-hosts = ["https://files.example.org/"]
connections-per-file = 0
offline = "no"

[mirror.corp]
upstream = "https://pypi.example.org/simple/"

[mirror."gpu/cu128"]
kind = "simple"
token = "secret"
username = "me"
read-timeout = "1 ms"

[mirror."local/wheels"]
upstream = "ftp://me:secret@files.example.org/"
password-env = "NO_SUCH_VARIABLE"
"#;

#[test]
fn all_faults_of_a_file_are_told_at_once() {
    let home = Home::new().file("faulty.toml", FAULTY);
    let checked = home.run(&["config", "check", "--config", "faulty.toml"]);
    insta::assert_snapshot!(checked, @r#"
    exit 1
    --- stdout
    error: the configuration `faulty.toml` has 20 faults
    cause: line 2: listen[1]: `localhost` is not an address: write ADDRESS:PORT, like `127.0.0.1:3141`, `0.0.0.0:3141` or `[::1]:3141`
    cause: line 2: listen[2]: should be a text in quotes, not a number
    cause: line 3: data-dir: should be a text in quotes, not a number
    cause: line 4: log: `loud` is not a kind of log: write `text`, `json` or `off`
    cause: line 5: default: there is no index `corp/prod`: add a table [mirror."corp/prod"]
    cause: line 6: colour: there is no such key; there are listen, data-dir, log, default, offline, restrict-modify, open-to-anyone, outside-url, cache, mirror, group, view, publisher, webhook, docker
    cause: line 9: cache.max-size: `ten gigabytes` is not a size: write a number and a unit, like `50 GiB` or `500 MB`, or `auto` or `unlimited`
    cause: line 10: cache.max_size: there is no such key; did you mean `max-size`?
    cause: line 13: mirror."root/pypi".upsteam: there is no such key; did you mean `upstream`?
    cause: line 14: mirror."root/pypi".fresh-for: `soon` is not a length of time: write a number and a unit, like `30 s`, `10 min` or `1h 30m`
    cause: line 15: mirror."root/pypi".missing[1]: should be a whole number from 400 to 499
    cause: line 16: mirror."root/pypi".file-hosts[0]: `https://files.example.org/` is not a host: write `files.example.org`, `*.example.org`, or `*` for any public host
    cause: line 17: mirror."root/pypi".connections-per-file: should be a whole number from 1 to 16
    cause: line 18: mirror."root/pypi".offline: should be true or false, not a text
    cause: line 21: mirror.corp: `corp` is not an index name: write it as `user/index`, with no space and no symbol but `-`, `.`, `_`, `@`
    cause: line 24: mirror."gpu/cu128": has no upstream: add `upstream = "https://…/simple/"`
    cause: line 26: mirror."gpu/cu128".username: there is a token too: write either a token, or a username and a password
    cause: line 27: mirror."gpu/cu128".read-timeout: is too short for any answer
    cause: line 30: mirror."local/wheels".upstream: `ftp:` cannot be mirrored: write an http or https address
    cause: line 31: mirror."local/wheels".password-env: the variable `NO_SUCH_VARIABLE` is not set

    hint: `pilothouse config example` prints a file with every key and what it means
    --- stderr
    "#);
    assert!(!checked.stdout.contains("secret"));
    let served = home.run(&["serve", "--config", "faulty.toml"]);
    assert_eq!((served.code, served.stderr), (Some(2), checked.stdout));
}

#[test]
fn every_syntax_error_has_its_line() {
    let home = Home::new().file(
        "broken.toml",
        "listen = [\"127.0.0.1:3141\"\nlog = text\n\n[cache\nmax-size = \"1 GiB\"\n",
    );
    insta::assert_snapshot!(home.run(&["config", "check", "--config", "broken.toml"]), @r"
    exit 1
    --- stdout
    error: the configuration `broken.toml` has 3 faults
    cause: line 2: missing comma between array elements, expected `,`
    cause: line 4: missing comma between array elements, expected `,`
    cause: line 5: missing comma between array elements, expected `,`

    hint: `pilothouse config example` prints a file with every key and what it means
    --- stderr
    ");
}

#[test]
fn faults_of_variables_are_told_with_their_names() {
    let home = Home::new()
        .env("PILOTHOUSE_FRESH_FOR", "soon")
        .env("PILOTHOUSE_LISTEN", "everywhere");
    insta::assert_snapshot!(home.run(&["config", "show"]), @r"
    exit 2
    --- stdout
    --- stderr
    error: the configuration has 2 faults
    cause: PILOTHOUSE_LISTEN: `everywhere` is not an address: write ADDRESS:PORT, like `127.0.0.1:3141`, `0.0.0.0:3141` or `[::1]:3141`
    cause: PILOTHOUSE_FRESH_FOR: `soon` is not a length of time: write a number and a unit, like `30 s`, `10 min` or `1h 30m`

    hint: `pilothouse config example` prints a file with every key and what it means
    ");
}

#[test]
fn a_variable_that_is_nearly_ours_is_a_fault_and_any_other_is_told() {
    let misspelt = Home::new().env("PILOTHOUSE_LISTN", "127.0.0.1:3141");
    insta::assert_snapshot!(misspelt.run(&["config", "check"]), @r"
    exit 1
    --- stdout
    error: the configuration has 1 fault
    cause: PILOTHOUSE_LISTN: there is no such variable; did you mean `PILOTHOUSE_LISTEN`?

    hint: `pilothouse config example` prints a file with every key and what it means
    --- stderr
    ");
    let other = Home::new().env("PILOTHOUSE_CORP_TOKEN", "secret");
    insta::assert_snapshot!(other.run(&["config", "check"]), @r"
    exit 0
    --- stdout
    there is no file, and the defaults are in order
    note: `PILOTHOUSE_CORP_TOKEN` is none of pilothouse's own variables
    --- stderr
    ");
}

#[test]
fn what_follows_from_a_syntax_error_is_not_told() {
    let home = Home::new().file(
        "broken.toml",
        "listen = \"127.0.0.1:0\"\n[mirror.\"gpu/cu128\"]\nupstream = = 3\n",
    );
    insta::assert_snapshot!(home.run(&["config", "check", "--config", "broken.toml"]), @r"
    exit 1
    --- stdout
    error: the configuration `broken.toml` has 1 fault
    cause: line 3: extra `=`, expected nothing

    hint: `pilothouse config example` prints a file with every key and what it means
    --- stderr
    ");
}

#[test]
fn numbers_beyond_all_bounds_are_told_as_such() {
    let text = "[cache]\nmax-size = \"9000000 TiB\"\n[mirror.\"root/pypi\"]\nfresh-for = \"1000000 w\"\n\
        missing-for = \"3654 d\"\nread-timeout = \"99999999999999999999 s\"\n";
    let home = Home::new().file("endless.toml", text);
    insta::assert_snapshot!(home.run(&["config", "check", "--config", "endless.toml"]), @r#"
    exit 1
    --- stdout
    error: the configuration `endless.toml` has 4 faults
    cause: line 2: cache.max-size: `9000000 TiB` is bigger than any disk: write at most 8192 TiB, or `auto` or `unlimited`
    cause: line 4: mirror."root/pypi".fresh-for: `1000000 w` is too long: write at most ten years, `3653 d`
    cause: line 5: mirror."root/pypi".missing-for: `3654 d` is too long: write at most ten years, `3653 d`
    cause: line 6: mirror."root/pypi".read-timeout: `99999999999999999999 s` is too long: write at most ten years, `3653 d`

    hint: `pilothouse config example` prints a file with every key and what it means
    --- stderr
    "#);
}

#[test]
fn a_file_that_is_named_must_be_there() {
    insta::assert_snapshot!(Home::new().run(&["config", "check", "--config", "none.toml"]), @r"
    exit 2
    --- stdout
    --- stderr
    error: the config file `none.toml` cannot be read
    cause: No such file or directory (os error 2)

    hint: `pilothouse config example` prints one to start from
    ");
}

#[test]
fn the_example_is_in_order() {
    let home = Home::new();
    let example = home.run(&["config", "example"]);
    assert_eq!(example.stderr, "");
    let home = home.file("pilothouse.toml", &example.stdout);
    insta::assert_snapshot!(home.run(&["config", "check", "--config", "pilothouse.toml"]), @r"
    exit 0
    --- stdout
    `pilothouse.toml` is in order
    --- stderr
    ");
}

#[test]
fn every_setting_says_where_it_came_from() {
    let home = Home::new()
        .file(
            ".config/pilothouse/pilothouse.toml",
            r#"
listen = ["127.0.0.1:3200"]
data-dir = "/srv/pilothouse"
log = "json"
default = "corp/prod"

[mirror."root/pypi"]
fresh-for = "1h 30m"

[mirror."corp/prod"]
upstream = "https://pypi.corp.example/simple"
username = "reader"
password-env = "CORP_PASSWORD"
missing = [403, 404]
file-hosts = ["files.corp.example", "*.cdn.example"]
offline = true

[mirror."local/wheels"]
kind = "find-links"
upstream = "/srv/wheels"
"#,
        )
        .env("CORP_PASSWORD", "hunter2")
        .env("PILOTHOUSE_MAX_SIZE", "50 GiB")
        .env("PILOTHOUSE_LISTEN", "127.0.0.1:3300")
        .env(
            "PILOTHOUSE_UPSTREAM",
            "https://me:hunter2@pypi.example.org/simple",
        );
    let shown = home.run(&[
        "config",
        "show",
        "--listen",
        "127.0.0.1:3400",
        "--listen",
        "[::1]:3400",
    ]);
    assert!(!format!("{shown}").contains("hunter2"));
    insta::assert_snapshot!(shown, @r#"
    exit 0
    --- stdout
    listen = ["127.0.0.1:3400", "[::1]:3400"]             # --listen
    data-dir = "/srv/pilothouse"                          # pilothouse.toml:3
    log = "json"                                          # pilothouse.toml:4
    default = "corp/prod"                                 # pilothouse.toml:5
    open-to-anyone = false                                # default

    [cache]
    max-size = "50 GiB"                                   # PILOTHOUSE_MAX_SIZE

    [mirror."corp/prod"]
    upstream = "https://pypi.corp.example/simple/"        # pilothouse.toml:11
    kind = "simple"                                       # pilothouse.toml:11
    fresh-for = "10 min"                                  # default
    missing-for = "1 min"                                 # default
    missing = [403, 404]                                  # pilothouse.toml:14
    file-hosts = ["files.corp.example", "*.cdn.example"]  # pilothouse.toml:15
    connect-timeout = "5 s"                               # default
    read-timeout = "10 s"                                 # default
    connections-per-file = 4                              # default
    offline = true                                        # pilothouse.toml:16
    username = "reader"                                   # pilothouse.toml:13
    password = "(hidden)"                                 # pilothouse.toml:13

    [mirror."local/wheels"]
    upstream = "/srv/wheels"                              # pilothouse.toml:20
    kind = "find-links"                                   # pilothouse.toml:20
    fresh-for = "10 min"                                  # default
    missing-for = "1 min"                                 # default
    missing = [404, 410]                                  # default
    file-hosts = []                                       # default
    connect-timeout = "5 s"                               # default
    read-timeout = "10 s"                                 # default
    connections-per-file = 4                              # default
    offline = false                                       # default

    [mirror."root/pypi"]
    upstream = "https://pypi.example.org/simple/"         # PILOTHOUSE_UPSTREAM
    kind = "simple"                                       # PILOTHOUSE_UPSTREAM
    fresh-for = "90 min"                                  # pilothouse.toml:8
    missing-for = "1 min"                                 # default
    missing = [404, 410]                                  # default
    file-hosts = ["*"]                                    # default
    connect-timeout = "5 s"                               # default
    read-timeout = "10 s"                                 # default
    connections-per-file = 4                              # default
    offline = false                                       # default
    username = "(hidden)"                                 # PILOTHOUSE_UPSTREAM
    password = "(hidden)"                                 # PILOTHOUSE_UPSTREAM
    --- stderr
    "#);
}

#[test]
fn a_file_of_authorities_has_to_hold_some() {
    let settings =
        |file| format!("[mirror.\"root/pypi\"]\nupstream = \"{UPSTREAM}\"\nca-file = \"{file}\"\n");
    let home = Home::new()
        .file("ca.pem", &testkit::authority())
        .file(
            "key.pem",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        )
        .file("good.toml", &settings("ca.pem"))
        .file("empty.toml", &settings("key.pem"))
        .file("none.toml", &settings("none.pem"));
    let check = |file| home.run(&["config", "check", "--config", file]).stdout;
    let show = home.run(&["config", "show", "--config", "good.toml"]);
    let shown = show.stdout.lines().find(|line| line.starts_with("ca-file"));
    assert!(shown.unwrap().contains("ca.pem\""), "{shown:?}");
    let empty = check("empty.toml");
    assert!(
        empty.contains("line 3: mirror.\"root/pypi\".ca-file: ")
            && empty.contains("key.pem` holds no certificate: it has to be in PEM"),
        "{empty}"
    );
    let none = check("none.toml");
    assert!(none.contains("none.pem` cannot be read ("), "{none}");
}

#[test]
fn the_index_that_pip_uses_is_the_one_to_mirror() {
    let pip = "[global]\nindex-url = https://me:hunter2@pypi.corp.example/simple\n";
    let home = Home::new().file(".config/pip/pip.conf", pip);
    let shown = home.run(&["config", "show"]);
    assert!(!format!("{shown}").contains("hunter2"));
    let upstream = shown
        .stdout
        .lines()
        .find(|line| line.starts_with("upstream"))
        .expect("there is an upstream");
    let words: Vec<&str> = upstream.split_whitespace().collect();
    assert_eq!(
        words.join(" "),
        "upstream = \"https://pypi.corp.example/simple/\" # pip's own setting in [home]/.config/pip/pip.conf"
    );
}

#[test]
fn an_index_on_this_machine_is_not_mirrored() {
    let uv = "index-url = \"http://localhost:3141/simple\"\n";
    let home = Home::new().file(".config/uv/uv.toml", uv);
    let shown = home.run(&["config", "show"]);
    assert_eq!(
        shown.stderr.lines().next(),
        Some(
            "note: the index of uv in `[home]/.config/uv/uv.toml` is not mirrored: \
             `http://localhost:3141/simple/` is on this machine, it may be this very server"
        )
    );
    let quiet = home.run(&["config", "show", "--upstream", UPSTREAM]);
    assert_eq!(quiet.stderr, "");
}
