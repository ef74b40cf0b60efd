// Programs and JSON in colours: text nodes alone, one element for each word that has a colour.
((pc) => {
    "use strict";

    const WORDS = {
        json: "true|false|null",
        python: "import|from|as|if|else|for|in|with|raise|not|def|return|True|False|None|class|assert|print",
        javascript: "import|from|const|let|if|for|of|new|await|throw|function|return|true|false|null|throw",
        shell: "if|then|else|fi|for|in|do|done|set|not|defined|setlocal|echo|curl|http|python3|export",
        powershell: "if|else|foreach|in|param|function|Invoke-RestMethod|Join-Path|Get-Content",
    };
    const COMMENTS = {python: "#[^\\n]*", shell: "#[^\\n]*", powershell: "#[^\\n]*", javascript: "//[^\\n]*"};

    /** What has a colour: comments, texts (with the colon that makes one a key), numbers, words, variables. */
    function pattern(language) {
        const comment = COMMENTS[language];
        return new RegExp([
            comment ? `(?<comment>(?<=^|\\s)${comment})` : "(?<comment>(?!))",
            "(?<text>\"(?:[^\"\\\\\\n]|\\\\.)*\"|'(?:[^'\\\\\\n]|\\\\.)*')(?<colon>\\s*:)?",
            "(?<number>(?<![\\w.])-?\\d+(?:\\.\\d+)?(?:[eE][+-]?\\d+)?(?![\\w.]))",
            `(?<word>(?<![\\w$-])(?:${WORDS[language]})(?![\\w-]))`,
            "(?<variable>\\$\\{?[\\w:]+|%\\w+%)",
        ].join("|"), "gm");
    }

    function coloured(text, language) {
        const made = document.createDocumentFragment();
        let end = 0;
        for (const found of text.matchAll(pattern(language))) {
            const {colon} = found.groups;
            const [kind, said] = Object.entries(found.groups).find(([name, part]) => part !== undefined && name !== "colon");
            made.append(pc.verbatim(text.slice(end, found.index)));
            made.append(pc.make("span", {class: `pc-${colon ? "name" : kind}`}, pc.verbatim(said)));
            end = found.index + said.length;
        }
        made.append(pc.verbatim(text.slice(end)));
        return made;
    }

    Object.assign(pc, {coloured});
})((window.payloadCapture = window.payloadCapture || {}));
