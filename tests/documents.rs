//! What the documents show is what the program prints.

#[test]
fn the_examples_in_the_documents_are_real() {
    // Blocks that begin with ```console, or with ``` alone, are run; a line of `...` stands for any lines.
    trycmd::TestCases::new().case("README*.md").case("docs/*.md");
}
