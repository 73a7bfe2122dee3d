// Makes the elements of the page. Texts become text nodes, so no name in a trace is read as HTML.

// element("a", { href: "#" }, "text", child...). A function is an event's handler: { onclick: f }.
export function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
        if (typeof value === "function")
            made[name] = value;
        else if (value !== undefined && value !== null && value !== false)
            made.setAttribute(name, value === true ? "" : value);
    }
    made.append(...children.filter(child => child !== null && child !== undefined));
    return made;
}

export function button(text, label, onclick) {
    return element("button", { type: "button", "aria-label": label, title: label, onclick }, text);
}
