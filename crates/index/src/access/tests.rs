//! Who may do what: every permission, list, right and limit.

use super::*;
use Permission::{Modify, Read, Remove, TestResult, Upload};

fn user(name: &str) -> Caller {
    Caller::new(name.parse().unwrap(), [])
}

fn acl(text: &str) -> Acl {
    Acl::new(text.split_whitespace().map(Principal::new))
}

#[test]
fn a_user_name_keeps_devpis_rule_and_words() {
    for good in ["alice", "a.b@c.example", "dev-1_x", "müller", "用户", "-"] {
        assert_eq!(good.parse::<UserName>().unwrap().as_str(), good);
    }
    for bad in [
        "", ".", "..", "b 9", "a:b", "a/b", "a+b", "a'b", "a\u{a0}b", "a\0",
    ] {
        assert!(bad.parse::<UserName>().is_err(), "{bad:?}");
    }
    assert_eq!(
        "b 9".parse::<UserName>().unwrap_err().to_string(),
        "username 'b 9' contains characters that aren't allowed. \
         Any ascii symbol besides -.@_ is blocked."
    );
}

#[test]
fn a_list_names_people_in_four_ways() {
    let dev = Caller::new("alice".parse().unwrap(), ["devs".into()]);
    let anonymous = Caller::anonymous();
    for (list, alice, bob, nobody) in [
        ("", false, false, false),
        ("alice", true, false, false),
        (":devs", true, false, false),
        ("devs", false, false, false),
        (":AUTHENTICATED:", true, true, false),
        (":ANONYMOUS:", true, true, true),
        ("carol bob", false, true, false),
    ] {
        let list_of = acl(list);
        let found = [&dev, &user("bob"), &anonymous].map(|caller| caller.is_in(&list_of));
        assert_eq!(found, [alice, bob, nobody], "{list}");
    }
}

/// Rows of: readers, uploaders, admins; then for each caller what it may do to `alice/dev`.
#[test]
fn who_may_do_what_to_an_index() {
    let all = [Read, Upload, TestResult, Remove, Modify];
    let letters = |caller: &Caller, rules: &Rules<'_>| {
        let index = "alice/dev".parse().unwrap();
        let may = |&permission: &Permission| caller.may(permission, &index, Reach::Whole, rules);
        let letter = |permission| match permission {
            Read => 'r',
            Upload => 'u',
            TestResult => 't',
            Remove => 'd',
            Modify => 'm',
        };
        all.into_iter().filter(may).map(letter).collect::<String>()
    };
    let anyone = Acl::anyone();
    let callers = ["alice", "bob", "carol", "root"].map(user);
    for (readers, uploaders, admins, expected) in [
        // As an index is by default.
        (
            ":ANONYMOUS:",
            "alice",
            None,
            ["rutdm", "rt", "rt", "rtdm", "rt"],
        ),
        ("bob", "alice", None, ["rutdm", "rt", "t", "rtdm", "t"]),
        // Uploading does not come with being the owner or root, nor reading with uploading.
        ("", "bob", None, ["rtdm", "utd", "t", "rtdm", "t"]),
        (
            "",
            ":ANONYMOUS:",
            None,
            ["rutdm", "utd", "utd", "rutdm", "utd"],
        ),
        (
            ":AUTHENTICATED:",
            ":AUTHENTICATED:",
            None,
            ["rutdm", "rutd", "rutd", "rutdm", "t"],
        ),
        // Restricted: neither owner nor root by themselves.
        ("", "alice", Some("carol"), ["rutd", "t", "rtdm", "t", "t"]),
    ] {
        let (readers, uploaders) = (acl(readers), acl(uploaders));
        let admins = admins.map_or(Admins::Owners, Admins::only);
        let rules = Rules {
            readers: &readers,
            uploaders: Some(&uploaders),
            testers: Some(&anyone),
            admins: &admins,
        };
        let found: Vec<_> = callers
            .iter()
            .chain([&Caller::anonymous()])
            .map(|caller| letters(caller, &rules))
            .collect();
        assert_eq!(found, expected, "{rules:?}");
    }
}

#[test]
fn the_rules_of_an_index_come_from_its_settings() {
    let fields = serde_json::json!({
        "acl_pkg_read": ["bob"], "acl_upload": ["carol"], "acl_toxresult_upload": ":testers",
    });
    let settings = IndexSettings::create("alice", fields.as_object().unwrap()).unwrap();
    let rules = Rules::new(&settings, &Admins::Owners);
    assert_eq!(rules.readers, &acl("bob"));
    assert_eq!(rules.uploaders, Some(&acl("carol")));
    assert_eq!(rules.testers, Some(&acl(":testers")));

    let fields = serde_json::json!({
        "type": "mirror", "mirror_url": "https://upstream.example/simple/",
    });
    let settings = IndexSettings::create("alice", fields.as_object().unwrap()).unwrap();
    let rules = Rules::new(&settings, &Admins::Owners);
    let index = "alice/mirror".parse().unwrap();
    for (name, expected) in [
        ("alice", [true, false, true]),
        ("bob", [true, false, false]),
    ] {
        let caller = user(name);
        let may = |permission| caller.may(permission, &index, Reach::Whole, &rules);
        assert_eq!([Read, Upload, Remove].map(may), expected, "{name}");
    }
}

#[test]
fn a_token_may_do_no_more_than_its_scope() {
    let (here, there) = ("alice/dev".parse().unwrap(), "alice/prod".parse().unwrap());
    let (foo, bar) = ("foo".parse().unwrap(), "bar".parse().unwrap());
    let (readers, uploaders, testers) = (acl("alice"), acl("alice"), acl("alice"));
    let rules = Rules {
        readers: &readers,
        uploaders: Some(&uploaders),
        testers: Some(&testers),
        admins: &Admins::Owners,
    };
    let scope = |read, upload| Scope {
        read,
        upload,
        remove: false,
        index: None,
        project: None,
    };
    let removing = |scope: Scope| Scope {
        remove: true,
        ..scope
    };
    let on_index = |scope: Scope| Scope {
        index: Some("alice/dev".parse().unwrap()),
        ..scope
    };
    let on_project = |scope: Scope| Scope {
        project: Some("Foo".parse().unwrap()),
        ..scope
    };
    let whole = Reach::Whole;
    for (limits, permission, index, reach, expected) in [
        (scope(true, false), Read, &here, whole, true),
        (scope(true, false), Upload, &here, Reach::Some, false),
        (scope(false, true), Read, &here, whole, false),
        (scope(false, true), Upload, &here, Reach::Some, true),
        (scope(true, true), Remove, &here, whole, false),
        (removing(scope(false, false)), Remove, &here, whole, true),
        (scope(false, true), TestResult, &here, whole, true),
        (scope(true, true), Modify, &here, whole, false),
        (on_index(scope(true, true)), Read, &here, whole, true),
        (on_index(scope(true, true)), Read, &there, whole, false),
        (on_index(scope(true, true)), Upload, &there, whole, false),
        (on_project(scope(true, true)), Read, &here, whole, false),
        (
            on_project(scope(true, true)),
            Upload,
            &here,
            Reach::Some,
            true,
        ),
        (
            on_project(scope(true, true)),
            Upload,
            &here,
            Reach::Project(&foo),
            true,
        ),
        (
            on_project(scope(true, true)),
            Upload,
            &here,
            Reach::Project(&bar),
            false,
        ),
        (
            on_project(scope(true, true)),
            Read,
            &here,
            Reach::Project(&bar),
            false,
        ),
    ] {
        let case = format!("{limits:?} {permission:?} {index} {reach:?}");
        let caller = user("alice").within(limits);
        assert_eq!(
            caller.may(permission, index, reach, &rules),
            expected,
            "{case}"
        );
        assert!(!Admins::Owners.admit(&caller, "alice"), "{case}");
        assert!(!Admins::only("alice").admit(&caller, "alice"), "{case}");
    }
    // Nor more than its owner may, but what everybody may.
    let bobs = user("bob").within(scope(true, true));
    assert!(!bobs.may(Read, &here, whole, &rules));
    let open = Rules {
        readers: &Acl::anyone(),
        ..rules
    };
    let narrow = user("bob").within(on_index(scope(false, true)));
    assert!(narrow.may(Read, &there, whole, &open));
}

#[test]
fn a_token_for_one_index_reads_through_it_what_its_user_may() {
    let (here, there) = ("alice/dev".parse().unwrap(), "bob/base".parse().unwrap());
    let readers = acl("alice");
    let rules = Rules {
        readers: &readers,
        uploaders: Some(&readers),
        testers: None,
        admins: &Admins::Owners,
    };
    let limits = |read| Scope {
        read,
        upload: true,
        remove: true,
        index: Some("alice/dev".parse().unwrap()),
        project: None,
    };
    for (name, read, through, expected) in [
        ("alice", true, &here, true),
        ("alice", true, &there, false),
        ("alice", false, &here, false),
        ("carol", true, &here, false),
    ] {
        let token = user(name).within(limits(read));
        assert!(!token.may(Read, &there, Reach::Some, &rules), "{name}");
        let reading = token.reading_through(through);
        let may_read = reading.may(Read, &there, Reach::Some, &rules);
        assert_eq!(may_read, expected, "{name} {read} {through}");
        assert!(!reading.may(Upload, &there, Reach::Some, &rules), "{name}");
    }
}

/// Where anybody may leave test results, a token that may not upload still leaves none beside
/// what only its user can see.
#[test]
fn test_results_for_anyone_are_for_anyone_who_sees_the_file() {
    let index = "alice/dev".parse().unwrap();
    let (few, anyone) = (acl("bob"), Acl::anyone());
    let read_only = user("bob").within(Scope {
        read: true,
        upload: false,
        remove: false,
        index: None,
        project: None,
    });
    for (readers, expected) in [(&few, false), (&anyone, true)] {
        let rules = Rules {
            readers,
            uploaders: Some(&few),
            testers: Some(&anyone),
            admins: &Admins::Owners,
        };
        let may = |caller: &Caller| caller.may(TestResult, &index, Reach::Whole, &rules);
        assert!(may(&user("bob")));
        assert_eq!(may(&read_only), expected);
    }
}

#[test]
fn a_scope_is_read_as_it_was_kept() {
    for scope in [
        Scope {
            read: true,
            upload: false,
            remove: false,
            index: None,
            project: None,
        },
        Scope {
            read: false,
            upload: true,
            remove: true,
            index: Some("alice/dev".parse().unwrap()),
            project: Some("foo".parse().unwrap()),
        },
    ] {
        assert_eq!(Scope::from_kept(&scope.to_kept()), Some(scope));
    }
    for other in [
        "",
        "null",
        "{}",
        r#"{"read":true,"upload":true,"index":"x","project":null}"#,
    ] {
        assert_eq!(Scope::from_kept(other), None, "{other}");
    }
}

/// The index may be named to whoever hears this.
#[test]
fn what_somebody_lacks_is_named() {
    let (nobody, uploaders) = (acl(""), acl("alice"));
    let admins = Admins::Owners;
    let rules = Rules {
        readers: &nobody,
        uploaders: Some(&uploaders),
        testers: Some(&nobody),
        admins: &admins,
    };
    let index: IndexName = "alice/dev".parse().unwrap();
    let [foo, bar] = ["foo", "bar"].map(|name| name.parse::<ProjectName>().unwrap());
    let lacks = |caller: &Caller, permission, project| {
        caller.lacks(permission, &index, Reach::Project(project), &rules)
    };
    assert_eq!(
        lacks(&Caller::anonymous(), Upload, &foo),
        "nobody is logged in"
    );
    for (permission, why) in [
        (Read, "its `acl_pkg_read` does not name bob"),
        (Upload, "its `acl_upload` does not name bob"),
        (Remove, "its `acl_upload` does not name bob"),
        (TestResult, "its `acl_toxresult_upload` does not name bob"),
        (Modify, "bob does not look after it"),
    ] {
        assert_eq!(lacks(&user("bob"), permission, &foo), why);
    }
    let scope = Scope {
        read: false,
        upload: true,
        remove: false,
        index: Some(index.clone()),
        project: Some(foo.clone()),
    };
    let token = |scope: &Scope| user("alice").within(scope.clone());
    let elsewhere = Scope {
        index: Some("alice/prod".parse().unwrap()),
        ..scope.clone()
    };
    for (scope, permission, why) in [
        (&scope, Read, "this token has no right to read"),
        (&scope, Remove, "this token has no right to remove"),
        (&scope, Upload, "this token is for project `foo` alone"),
        (&scope, Modify, "this token has no right to change settings"),
        (&elsewhere, Upload, "this token is for alice/prod alone"),
    ] {
        assert_eq!(lacks(&token(scope), permission, &bar), why);
    }
    // Another token would not help either.
    let others = user("bob").within(scope);
    assert_eq!(
        lacks(&others, Upload, &bar),
        "its `acl_upload` does not name bob"
    );
}
