//! What somebody wants a new token to do, said the same way wherever tokens are made.

use pyspec::ProjectName;

use super::Scope;
use crate::{Error, IndexName};

/// The rights that are asked for a new token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is said or not, by itself"
)]
pub struct Rights {
    /// See what its owner sees.
    pub read: bool,
    /// Upload.
    pub upload: bool,
    /// Remove and yank.
    pub remove: bool,
    /// Do all that its owner may, as a password.
    pub everything: bool,
}

impl Rights {
    /// What the token may do at most; `None`: all that its owner may.
    ///
    /// A right has to be named: whoever forgets it is not to get a token for everything,
    /// nor one for nothing.
    pub fn scope(
        self,
        index: Option<IndexName>,
        project: Option<ProjectName>,
    ) -> Result<Option<Scope>, Error> {
        let Self {
            read,
            upload,
            remove,
            everything,
        } = self;
        let has_right = read || upload || remove;
        let wrong = |why: &str| {
            let why = why.to_owned();
            Err(Error::BadRequest { why })
        };
        if everything && (has_right || index.is_some() || project.is_some()) {
            return wrong("a token for `everything` has no other right and no limit");
        }
        if everything {
            return Ok(None);
        }
        if !has_right {
            return wrong("a token needs a right: `read`, `upload`, `remove` or `everything`");
        }
        Ok(Some(Scope {
            read,
            upload,
            remove,
            index,
            project,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_token_has_the_rights_that_are_named_and_no_others() {
        let none = Rights::default();
        let upload = Rights {
            upload: true,
            ..none
        };
        let everything = Rights {
            everything: true,
            ..none
        };
        let index = || "alice/dev".parse().ok();
        let scope = upload.scope(index(), None).unwrap().unwrap();
        assert_eq!(
            (scope.read, scope.upload, scope.remove),
            (false, true, false)
        );
        assert_eq!(scope.index, index());
        assert_eq!(everything.scope(None, None).unwrap(), None);
        let refused = |rights: Rights, index| rights.scope(index, None).unwrap_err().to_string();
        assert_eq!(
            refused(none, index()),
            "a token needs a right: `read`, `upload`, `remove` or `everything`"
        );
        let both = Rights {
            read: true,
            ..everything
        };
        for (rights, index) in [(both, None), (everything, index())] {
            assert_eq!(
                refused(rights, index),
                "a token for `everything` has no other right and no limit"
            );
        }
    }
}
