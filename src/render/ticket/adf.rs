//! The format of documents of Atlassian, as Jira takes it.
//!
//! In it text is text: nothing in a text node is mark-up.

use serde_json::{Value, json};

use super::{Block, Document, Inline, document::plain};

/// A text as a document of Atlassian's.
pub fn adf(document: &Document) -> Value {
    let content: Vec<Value> = document.0.iter().filter_map(block).collect();
    json!({"version": 1, "type": "doc", "content": content})
}

/// A node for a block, if there is something in it.
fn block(block: &Block) -> Option<Value> {
    match block {
        Block::Heading(text) => {
            let content = line(&[Inline::Text(text.clone())])?;
            Some(json!({"type": "heading", "attrs": {"level": 3}, "content": content}))
        }
        Block::Paragraph(inlines) => paragraph(inlines),
        Block::Points(points) => {
            let item = |node| json!({"type": "listItem", "content": [node]});
            let items: Vec<Value> = points.iter().filter_map(|p| paragraph(p).map(item)).collect();
            (!items.is_empty()).then(|| json!({"type": "bulletList", "content": items}))
        }
    }
}

fn paragraph(inlines: &[Inline]) -> Option<Value> {
    Some(json!({"type": "paragraph", "content": line(inlines)?}))
}

/// Jira refuses a text node of no characters.
fn line(inlines: &[Inline]) -> Option<Vec<Value>> {
    let nodes: Vec<Value> = inlines.iter().filter_map(inline).collect();
    (!nodes.is_empty()).then_some(nodes)
}

fn inline(inline: &Inline) -> Option<Value> {
    let (text, mark) = match inline {
        Inline::Strong(text) => (text, Some(json!({"type": "strong"}))),
        Inline::Code(text) => (text, Some(json!({"type": "code"}))),
        Inline::Link { text, url } if url.starts_with("https://") => {
            (text, Some(json!({"type": "link", "attrs": {"href": plain(url)}})))
        }
        Inline::Text(text) | Inline::Link { text, .. } => (text, None),
    };
    let text = plain(text);
    if text.is_empty() {
        return None;
    }
    let mut node = json!({"type": "text", "text": text});
    if let Some(mark) = mark {
        node["marks"] = json!([mark]);
    }
    Some(node)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::hostile, *};

    fn text(text: &str) -> Inline {
        Inline::Text(text.to_owned())
    }

    #[test]
    fn each_part_has_its_node() {
        let link = Inline::Link { text: "the page".into(), url: "https://a.example/x".into() };
        let document = Document(vec![
            Block::Heading("What to do".into()),
            Block::Paragraph(vec![text("See "), link, Inline::Strong("now".into())]),
            Block::Points(vec![vec![Inline::Code("apt upgrade".into())], vec![text("")]]),
        ]);
        let expected = json!({"version": 1, "type": "doc", "content": [
            {"type": "heading", "attrs": {"level": 3},
             "content": [{"type": "text", "text": "What to do"}]},
            {"type": "paragraph", "content": [
                {"type": "text", "text": "See "},
                {"type": "text", "text": "the page",
                 "marks": [{"type": "link", "attrs": {"href": "https://a.example/x"}}]},
                {"type": "text", "text": "now", "marks": [{"type": "strong"}]},
            ]},
            {"type": "bulletList", "content": [{"type": "listItem", "content": [
                {"type": "paragraph", "content": [
                    {"type": "text", "text": "apt upgrade", "marks": [{"type": "code"}]},
                ]},
            ]}]},
        ]});
        assert_eq!(adf(&document), expected);
    }

    #[test]
    fn what_is_empty_is_no_node() {
        let empty = Document(vec![
            Block::Heading(String::new()),
            Block::Paragraph(vec![text("")]),
            Block::Points(Vec::new()),
        ]);
        assert_eq!(adf(&empty), json!({"version": 1, "type": "doc", "content": []}));
    }

    #[test]
    fn an_address_that_is_not_secure_is_no_link() {
        let url = "javascript:alert(1)".to_owned();
        let link = Inline::Link { text: "a".into(), url };
        let node = json!({"type": "text", "text": "a"});
        assert_eq!(
            adf(&Document(vec![Block::Paragraph(vec![link])]))["content"][0]["content"],
            json!([node])
        );
    }

    /// All texts of the text nodes, in order, and the types of all nodes and marks.
    fn collect(node: &Value, texts: &mut Vec<String>, types: &mut Vec<String>) {
        types.push(node["type"].as_str().unwrap().to_owned());
        if let Some(text) = node.get("text") {
            texts.push(text.as_str().unwrap().to_owned());
        }
        for field in ["content", "marks"] {
            for inner in node.get(field).and_then(Value::as_array).into_iter().flatten() {
                collect(inner, texts, types);
            }
        }
    }

    proptest! {
        #[test]
        fn texts_come_back_whole_and_no_other_node_is_made(document in hostile::document()) {
            let expected = hostile::texts(&document).map(plain).filter(|text| !text.is_empty());
            let expected: Vec<String> = expected.collect();
            let (mut texts, mut types) = (Vec::new(), Vec::new());
            collect(&adf(&document), &mut texts, &mut types);
            prop_assert_eq!(&texts, &expected);
            prop_assert!(!texts.iter().any(|text| text.chars().any(char::is_control)));
            let ours = [
                "doc", "heading", "paragraph", "bulletList", "listItem", "text", "strong", "code", "link",
            ];
            prop_assert!(types.iter().all(|name| ours.contains(&name.as_str())));
        }
    }
}
