//! Rows of indexes in memory.

use std::sync::Arc;

use super::{Seen, View};
use crate::fake::Fake;
use crate::{Part, Source};

fn whole(source: &Arc<Fake>) -> Seen {
    let source: Arc<dyn Source> = source.clone();
    Seen {
        shown: Some(source.clone()),
        whole: source,
    }
}

fn view(indexes: impl IntoIterator<Item = Seen>) -> View {
    View::new(indexes, Arc::default())
}

async fn page(view: &View, name: &str) -> String {
    match view.project(&name.parse().unwrap()).await {
        Ok(Some(answer)) => {
            let files = answer.project.page.files.iter();
            let urls: Vec<_> = files.map(|file| &file.url["https://".len()..]).collect();
            urls.join(" ")
        }
        Ok(None) => "none".to_owned(),
        Err(error) => error.to_string(),
    }
}

async fn file(view: &View, path: &str) -> String {
    match view.open(path, Part::File).await {
        Ok(Some(open)) => open.etag,
        Ok(None) => "none".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn the_first_index_that_has_a_project_answers_for_all_of_it() {
    let gpu = Fake::new(
        "gpu.example",
        &["torch: whl/torch-2.0+cu1-py3-none-any.whl"],
    );
    let rest = Fake::new(
        "rest.example",
        &[
            "torch: p/torch-3.0-py3-none-any.whl",
            "numpy: p/numpy-1.0-py3-none-any.whl",
        ],
    );
    let view = view([whole(&gpu), whole(&rest)]);
    assert_eq!(
        page(&view, "torch").await,
        "gpu.example/whl/torch-2.0+cu1-py3-none-any.whl"
    );
    assert_eq!(
        page(&view, "numpy").await,
        "rest.example/p/numpy-1.0-py3-none-any.whl"
    );
    assert_eq!(page(&view, "gone").await, "none");
    assert_eq!(
        file(&view, "whl/torch-2.0+cu1-py3-none-any.whl").await,
        "https://gpu.example/whl/torch-2.0+cu1-py3-none-any.whl"
    );
    assert_eq!(
        file(&view, "p/numpy-1.0-py3-none-any.whl").await,
        "https://rest.example/p/numpy-1.0-py3-none-any.whl"
    );
    // Not even when it is asked for by its path, stored or not.
    let other = "p/torch-3.0-py3-none-any.whl";
    assert_eq!(file(&view, other).await, "none");
    let torch = "torch".parse().unwrap();
    rest.stored.lock().unwrap().insert(other.to_owned(), torch);
    assert_eq!(file(&view, other).await, "none");
    let names = view.projects().await.unwrap().names;
    assert_eq!(names.iter().collect::<Vec<_>>(), ["torch", "numpy"]);
}

#[tokio::test]
async fn the_same_path_in_two_indexes_is_the_first_ones() {
    let gpu = Fake::new("gpu.example", &["torch: torch-2.0-py3-none-any.whl"]);
    let rest = Fake::new("rest.example", &["torch: torch-2.0-py3-none-any.whl"]);
    let path = "torch-2.0-py3-none-any.whl";
    let torch = "torch".parse().unwrap();
    rest.stored.lock().unwrap().insert(path.to_owned(), torch);
    let view = view([whole(&gpu), whole(&rest)]);
    assert_eq!(
        file(&view, path).await,
        "https://gpu.example/torch-2.0-py3-none-any.whl"
    );
    let head = view.head(path, Part::File).await.unwrap().unwrap();
    assert!(head.etag.starts_with("https://gpu"));
}

#[tokio::test]
async fn an_error_is_an_error_and_nobody_else_is_asked() {
    let gpu = Fake::new("gpu.example", &[]);
    gpu.breaks();
    let rest = Fake::new("rest.example", &["torch: p/torch-3.0-py3-none-any.whl"]);
    let view = view([whole(&gpu), whole(&rest)]);
    let down = "upstream of `a/m` is not answering and it is not in the cache: connection refused";
    assert_eq!(page(&view, "torch").await, down);
    assert_eq!(file(&view, "p/torch-3.0-py3-none-any.whl").await, down);
    assert_eq!(view.projects().await.unwrap_err().to_string(), down);
    assert_eq!(rest.asked(), "");
}

#[tokio::test]
async fn what_is_hidden_is_not_answered_by_somebody_else() {
    let secret = Fake::new("secret.example", &["corp: ab/corp-1.0.tar.gz"]);
    let partly = Fake::new("partly.example", &["open: ab/open-1.0.tar.gz"]);
    let rest = Fake::new(
        "rest.example",
        &[
            "corp: p/corp-9.0.tar.gz",
            "open: p/open-9.0.tar.gz",
            "other: p/other-1.0.tar.gz",
        ],
    );
    let nothing = Seen {
        whole: secret,
        shown: None,
    };
    let less = Seen {
        whole: partly,
        shown: Some(Fake::new("partly.example", &[])),
    };
    let view = view([nothing, less, whole(&rest)]);
    assert_eq!(page(&view, "corp").await, "none");
    assert_eq!(page(&view, "open").await, "none");
    assert_eq!(
        page(&view, "other").await,
        "rest.example/p/other-1.0.tar.gz"
    );
    assert_eq!(file(&view, "p/corp-9.0.tar.gz").await, "none");
    assert_eq!(file(&view, "p/open-9.0.tar.gz").await, "none");
}
