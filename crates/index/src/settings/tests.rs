//! What goes in, what comes out, and what is said of the rest.

use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{IndexSettings, InvalidSettings, Patch};
use crate::mirror::{Config, FileHosts, FilesFrom, MetadataFrom, RootListing, Upstream};

fn made(fields: &Value) -> Result<IndexSettings, InvalidSettings> {
    IndexSettings::create("alice", fields.as_object().unwrap())
}

fn patched(settings: &IndexSettings, sent: &Value) -> Result<IndexSettings, String> {
    let patch = Patch::read(sent).map_err(|error| error.to_string())?;
    settings.patched(&patch).map_err(|error| error.to_string())
}

fn stage() -> IndexSettings {
    made(&json!({})).unwrap()
}

fn mirror() -> IndexSettings {
    made(&json!({"type": "mirror", "mirror_url": "https://pypi.example/simple/"})).unwrap()
}

fn json_of(settings: &IndexSettings) -> Value {
    settings.to_json().into()
}

#[test]
fn a_new_stage_has_devpis_seven_settings() {
    let expected = json!({
        "type": "stage", "volatile": true, "bases": [], "acl_upload": ["alice"],
        "acl_toxresult_upload": [":ANONYMOUS:"], "mirror_whitelist": [],
        "mirror_whitelist_inheritance": "intersection",
    });
    assert_eq!(json_of(&stage()), expected);
    assert_eq!(json_of(&made(&json!({"type": "stage"})).unwrap()), expected);
    assert_eq!(json_of(&made(&json!({"type": "local"})).unwrap()), expected);
}

#[test]
fn a_mirror_has_what_was_set() {
    assert_eq!(
        json_of(&mirror()),
        json!({"type": "mirror", "volatile": true, "mirror_url": "https://pypi.example/simple/"})
    );
    let sent = json!({
        "type": "remote", "remote_url": "http://127.0.0.1:3/simple", "remote_refresh_delay": "600",
        "remote_no_project_list": "yes", "remote_use_external_urls": false, "volatile": "False",
        "remote_provides_core_metadata": "true", "remote_ignore_serial_header": "no",
        "remote_web_url_fmt": "https://pypi.example/project/{name}/", "title": "T",
    });
    assert_eq!(
        json_of(&made(&sent).unwrap()),
        json!({
            "type": "mirror", "mirror_url": "http://127.0.0.1:3/simple", "mirror_cache_expiry": 600,
            "mirror_no_project_list": true, "mirror_use_external_urls": false, "volatile": false,
            "mirror_provides_core_metadata": true, "mirror_ignore_serial_header": false,
            "mirror_web_url_fmt": "https://pypi.example/project/{name}/", "title": "T",
        })
    );
}

/// Each is set on a new index and read from its JSON.
#[test]
fn values_are_taken_as_clients_send_them() {
    let rows = [
        ("volatile", json!("True"), json!(true)),
        ("volatile", json!("yes"), json!(true)),
        ("volatile", json!("FALSE"), json!(false)),
        ("volatile", json!("no"), json!(false)),
        ("volatile", json!(false), json!(false)),
        ("bases", json!(""), json!([])),
        ("bases", json!("root/pypi"), json!(["root/pypi"])),
        ("bases", json!("/a/b/, c/d ,"), json!(["a/b", "c/d"])),
        ("bases", json!(["a/b/", "/c/d"]), json!(["a/b", "c/d"])),
        ("acl_upload", json!("bob,:devs"), json!(["bob", ":devs"])),
        ("acl_upload", json!([":anonymous:"]), json!([":ANONYMOUS:"])),
        (
            "acl_toxresult_upload",
            json!(":Authenticated:"),
            json!([":AUTHENTICATED:"]),
        ),
        ("acl_pkg_read", json!("alice"), json!(["alice"])),
        (
            "mirror_whitelist",
            json!("Foo_Bar,*"),
            json!(["*", "foo-bar"]),
        ),
        (
            "mirror_whitelist_inheritance",
            json!("Union"),
            json!("union"),
        ),
        (
            "trust_inheritance_rules_from",
            json!("type:not remote"),
            json!(null),
        ),
        ("quota", json!(5), json!(5)),
        ("quota", json!("1000"), json!(1000)),
        ("quota", json!("5 GB"), json!(5_000_000_000_u64)),
        ("title", json!("A title"), json!("A title")),
        ("custom_data", json!({"a": [1]}), json!({"a": [1]})),
    ];
    for (key, sent, expected) in rows {
        let settings = patched(&stage(), &json!({ key: sent })).unwrap();
        let read = settings.to_json().remove(key).unwrap_or_default();
        assert_eq!(read, expected, "{key}={sent}");
    }
}

#[test]
fn devpi_7s_rules_become_whitelists() {
    let whitelist = |sent: Value| {
        let json = patched(&stage(), &sent).unwrap().to_json();
        let list = json["mirror_whitelist"].clone();
        (list, json["mirror_whitelist_inheritance"].clone())
    };
    let (none, every) = (json!([]), json!(["*"]));
    let rules = "project_inheritance_rules";
    assert_eq!(whitelist(json!({rules: "allow all"})).0, every);
    assert_eq!(whitelist(json!({rules: ["allow  all"]})).0, every);
    assert_eq!(
        whitelist(json!({rules: "block type:remote if local_exists"})).0,
        none
    );
    assert_eq!(whitelist(json!({rules: []})).0, none);
    let trust = "trust_inheritance_rules_from";
    assert_eq!(whitelist(json!({trust: "none"})).1, "intersection");
    assert_eq!(whitelist(json!({trust: ["type:not remote"]})).1, "union");
}

#[test]
fn lists_are_changed_entry_by_entry() {
    let index = patched(&stage(), &json!(["bases=root/pypi", "acl_upload+=bob"])).unwrap();
    let rows = [
        ("acl_upload+=bob", "acl_upload", json!(["alice", "bob"])),
        (
            "acl_upload+=:anonymous:",
            "acl_upload",
            json!(["alice", "bob", ":ANONYMOUS:"]),
        ),
        ("acl_upload-=alice", "acl_upload", json!(["bob"])),
        ("acl_upload=", "acl_upload", json!([])),
        ("bases-=/root/pypi/", "bases", json!([])),
        (
            "bases+=a/b,c/d",
            "bases",
            json!(["root/pypi", "a/b", "c/d"]),
        ),
        (
            "mirror_whitelist+=Foo.Bar",
            "mirror_whitelist",
            json!(["foo-bar"]),
        ),
        ("title=a=b", "title", json!("a=b")),
        ("volatile=False", "volatile", json!(false)),
        ("quota-=", "quota", json!(null)),
        ("acl_pkg_read-=:ANONYMOUS:", "acl_pkg_read", json!([])),
        ("acl_pkg_read-=", "acl_pkg_read", json!(null)),
    ];
    for (operation, key, expected) in rows {
        let changed = patched(&index, &json!([operation])).unwrap();
        let read = changed.to_json().remove(key).unwrap_or_default();
        assert_eq!(read, expected, "{operation}");
    }
}

#[test]
fn what_is_refused_is_said_in_devpis_words() {
    let rows = [
        (
            json!({"a": 1, "b": "x"}),
            "indexconfig got unexpected keyword arguments: a=1, b=x",
        ),
        (
            json!({"mirror_url": "https://a.example/"}),
            "indexconfig got unexpected keyword arguments: mirror_url=https://a.example/",
        ),
        (
            json!({"c": [true, null, "it's", {"k": 1}]}),
            "indexconfig got unexpected keyword arguments: c=[True, None, \"it's\", {'k': 1}]",
        ),
        (
            json!({"bases": "x,a/b,y/"}),
            "invalid base index spec: 'x', invalid base index spec: 'y/'",
        ),
        (
            json!({"volatile": "maybe"}),
            "Unknown boolean value 'maybe'.",
        ),
        (json!({"volatile": 1}), "Unknown boolean value 1."),
        (json!({"bases": 1}), "Unknown list value 1."),
        (json!({"acl_upload": [1]}), "Unknown list value [1]."),
        (
            json!({"mirror_whitelist": "a b"}),
            "'mirror_whitelist' takes names of projects or *, not 'a b'",
        ),
        (
            json!({"mirror_whitelist_inheritance": "some"}),
            "Unknown value 'some' for mirror_whitelist_inheritance, must be 'intersection' or 'union'.",
        ),
        (
            json!({"quota": "much"}),
            "'quota' must be a number of bytes or a size like '5 GB', not 'much'",
        ),
        (
            json!({"type": "mirror"}),
            "the 'type' of an index can't be changed",
        ),
        (
            json!({"type": "remote"}),
            "the 'type' of an index can't be changed",
        ),
        (
            json!({"volatile": null}),
            "Default values can't be removed.",
        ),
        (json!(["bases-="]), "Default values can't be removed."),
        (
            json!(["mirror_whitelist_inheritance-="]),
            "Default values can't be removed.",
        ),
        (
            json!(["acl_upload-=bob"]),
            "The 'acl_upload' setting doesn't have value 'bob'",
        ),
        (json!(["title+=x"]), "The 'title' setting is not a list"),
        (json!(["quota-=1"]), "The 'quota' setting is not a list"),
        (
            json!(["nothing+=x"]),
            "indexconfig got unexpected keyword arguments: nothing=x",
        ),
        (
            json!(["volatile"]),
            "cannot read 'volatile': write key=value, key+=value, key-=value or key-=",
        ),
        (
            json!([1]),
            "cannot read 1: write key=value, key+=value, key-=value or key-=",
        ),
        (
            json!("volatile=False"),
            "settings are an object, or a list like [\"volatile=False\"]",
        ),
        (
            json!({"project_inheritance_rules": "allow foo"}),
            "'project_inheritance_rules' is 'block type:remote if local_exists' or 'allow all' here; 'mirror_whitelist' names single projects",
        ),
        (
            json!({"trust_inheritance_rules_from": "all"}),
            "'trust_inheritance_rules_from' is none or type:not remote, not 'all'",
        ),
    ];
    for (sent, expected) in rows {
        assert_eq!(patched(&stage(), &sent).unwrap_err(), expected, "{sent}");
    }
}

#[test]
fn what_makes_no_mirror_is_refused() {
    let rows = [
        (
            json!({"type": "mirror"}),
            "a mirror needs 'mirror_url': set it like mirror_url=https://pypi.example/simple/",
        ),
        (
            json!({"type": "mirror", "mirror_url": "ftp://u:geheim@pypi.example/"}),
            "'mirror_url' option must be a URL.",
        ),
        (
            json!({"type": "mirror", "mirror_url": "https://u:geheim@"}),
            "'mirror_url' option must be a URL.",
        ),
        (
            json!({"type": "mirror", "mirror_url": "https://pypi.example/?a"}),
            "'mirror_url' may have no ? and no #: write it like https://pypi.example/simple/",
        ),
        (
            json!({"type": "mirror", "mirror_url": 1}),
            "'mirror_url' must be text, not 1",
        ),
        (
            json!({"type": "mirror", "mirror_url": "https://a.example/", "mirror_cache_expiry": "1h"}),
            "'mirror_cache_expiry' must be a whole number of seconds, not '1h'",
        ),
        (
            json!({"type": "mirror", "mirror_url": "https://a.example/", "bases": "a/b"}),
            "indexconfig got unexpected keyword arguments: bases=a/b",
        ),
        (
            json!({"type": "constrained"}),
            "unknown index type 'constrained'",
        ),
    ];
    for (sent, expected) in rows {
        assert_eq!(made(&sent).unwrap_err().to_string(), expected, "{sent}");
    }
    let without = patched(&mirror(), &json!(["mirror_url-="]));
    assert!(without.unwrap_err().starts_with("a mirror needs"));
}

#[test]
fn the_whole_document_changes_nothing() {
    for settings in [stage(), mirror()] {
        let mut fields = settings.to_json();
        fields.insert("projects".to_owned(), json!(["foo"]));
        let document = json!({"type": "indexconfig", "result": fields});
        assert_eq!(patched(&settings, &document).unwrap(), settings);
    }
}

#[test]
fn an_upstreams_password_is_kept_and_never_shown() {
    let sent = json!({"type": "mirror", "mirror_url": "https://u:geheim@pypi.example/simple/"});
    let settings = made(&sent).unwrap();
    assert_eq!(
        json_of(&settings)["mirror_url"],
        "https://pypi.example/simple/"
    );
    assert!(!format!("{settings:?}").contains("geheim"));
    assert_eq!(settings.to_kept()["mirror_url"], sent["mirror_url"]);
    let sent_back = patched(&settings, &json_of(&settings)).unwrap();
    assert_eq!(sent_back, settings);
    let moved = patched(&settings, &json!(["mirror_url=https://b.example/"])).unwrap();
    assert_eq!(moved.to_kept()["mirror_url"], "https://b.example/");
}

#[test]
fn a_mirror_is_opened_as_its_settings_say() {
    let config = |sent: Value| {
        let IndexSettings::Mirror(settings) = patched(&mirror(), &sent).unwrap() else {
            panic!("a mirror stays one");
        };
        settings.config("a/b".parse().unwrap()).unwrap()
    };
    let plain = config(json!({"mirror_url": "https://u:p@pypi.example/simple"}));
    let url = "https://u:p@pypi.example/simple/".parse().unwrap();
    assert_eq!(plain.upstream, Upstream::Simple(url));
    assert_eq!(plain.file_hosts, FileHosts::AnyPublic(Vec::new()));
    assert_eq!(plain.root_listing, RootListing::Upstream);
    let always = config(json!({"mirror_cache_expiry": 0, "mirror_no_project_list": true}));
    assert_eq!(always.fresh_for, std::time::Duration::ZERO);
    assert_eq!(always.root_listing, RootListing::Known);
    assert_eq!(always.files_from, FilesFrom::Here);
    assert_eq!(always.metadata_from, MetadataFrom::Listed);
    let upstreams =
        config(json!({"mirror_use_external_urls": true, "mirror_provides_core_metadata": true}));
    assert_eq!(upstreams.files_from, FilesFrom::Upstream);
    assert_eq!(upstreams.metadata_from, MetadataFrom::Upstream);
    let ours =
        config(json!({"mirror_use_external_urls": "no", "mirror_provides_core_metadata": "no"}));
    assert_eq!(ours.files_from, FilesFrom::Here);
    assert_eq!(ours.metadata_from, MetadataFrom::Wheel);
}

#[test]
fn devpis_own_mirror_has_exactly_five_settings() {
    let upstream = Upstream::Simple("https://pypi.example/simple/".parse().unwrap());
    let config = Config::new("root/pypi".parse().unwrap(), upstream);
    let settings = super::MirrorSettings::of_config(&config);
    assert_eq!(
        json_of(&IndexSettings::Mirror(settings)),
        json!({
            "type": "mirror", "volatile": false, "title": "PyPI",
            "mirror_url": "https://pypi.example/simple/",
            "mirror_web_url_fmt": "https://pypi.example/project/{name}/",
        })
    );
}

#[test]
fn old_settings_without_the_rule_of_inheritance_take_every_whitelist() {
    let fields = json!({"type": "stage", "acl_upload": ["bob"]});
    let kept = IndexSettings::kept("alice", fields.as_object().unwrap()).unwrap();
    assert_eq!(kept.to_json()["mirror_whitelist_inheritance"], "union");
    assert_eq!(kept.to_json()["acl_upload"], json!(["bob"]));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<u32>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| vec(inner, 0..3).prop_map(Value::from))
}

fn any_acl() -> impl Strategy<Value = Value> {
    let entry = prop_oneof![Just(":anonymous:".to_owned()), ":?[a-zA-Zü.]{1,6}"];
    vec(entry, 0..4).prop_map(Value::from)
}

prop_compose! {
    fn any_stage()(
        bases in vec("[a-z@]{1,4}/[A-Z0-9ü_]{1,4}", 0..3),
        acls in [any_acl(), any_acl(), any_acl()],
        whitelist in btree_set("[a-z][a-z0-9]{0,3}|\\*", 0..3),
        union in any::<bool>(), volatile in any::<bool>(),
        quota in option::of(0..u64::from(u32::MAX)),
        texts in [option::of(any_json()), option::of(any_json()), option::of(any_json())],
    ) -> Value {
        let mut fields = json!({
            "bases": bases, "acl_upload": acls[0], "acl_toxresult_upload": acls[1],
            "acl_pkg_read": acls[2], "mirror_whitelist": whitelist, "volatile": volatile,
            "mirror_whitelist_inheritance": if union { "union" } else { "intersection" },
        });
        if let Some(quota) = quota {
            fields["quota"] = quota.into();
        }
        for (key, value) in ["title", "description", "custom_data"].iter().zip(texts) {
            if let Some(value) = value {
                fields[*key] = value;
            }
        }
        fields
    }
}

prop_compose! {
    fn any_mirror()(
        url in "https?://([a-z]{1,3}:[a-z]{1,3}@)?[a-z]{1,4}\\.example(/[a-z]{0,3}){0,2}",
        expiry in option::of(0..100_000_u64),
        flags in [option::of(any::<bool>()), option::of(any::<bool>()), option::of(any::<bool>())],
        web in option::of("[a-z{}]{0,8}"),
    ) -> Value {
        json!({
            "type": "mirror", "mirror_url": url, "mirror_cache_expiry": expiry,
            "mirror_no_project_list": flags[0], "mirror_use_external_urls": flags[1],
            "mirror_ignore_serial_header": flags[2], "mirror_web_url_fmt": web,
        })
    }
}

proptest! {
    #[test]
    fn what_is_kept_is_read_back(fields in prop_oneof![any_stage(), any_mirror()]) {
        let settings = made(&fields).unwrap();
        let kept = IndexSettings::kept("alice", &settings.to_kept()).unwrap();
        prop_assert_eq!(&kept, &settings);
        let sent_back = patched(&settings, &json_of(&settings)).unwrap();
        prop_assert_eq!(sent_back, settings);
    }

    #[test]
    fn no_json_makes_the_reader_stumble(sent in any_json(), key in "[a-z_]{0,20}[+-]?=?.{0,8}") {
        for sent in [sent.clone(), json!([key]), json!({"bases": sent, "quota": key})] {
            if let Ok(patch) = Patch::read(&sent) {
                let _ = (stage().patched(&patch), mirror().patched(&patch));
            }
        }
    }
}
