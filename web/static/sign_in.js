/** The sign-in form that both pages show: signs in, or makes an account. */

import { complaint, element } from "./elements.js";
import * as session from "./session.js";

const MODES = {
  login: {
    title: "Sign in",
    verb: "Sign in",
    act: ({ email, password }) => session.login({ email, password }),
    other: { mode: "register", lead: "No account yet?", verb: "Create one" },
  },
  register: {
    title: "Create an account",
    verb: "Create account",
    act: session.register,
    other: { mode: "login", lead: "Already have an account?", verb: "Sign in" },
  },
};

/** A form that calls `done` once somebody is signed in. */
export function signInForm(done = () => {}) {
  const form = element("form", { class: "sign-in", novalidate: true });
  draw(form, "login", done);
  return form;
}

function draw(form, mode, done) {
  const { title, verb, other } = MODES[mode];
  const registering = mode === "register";
  const hint = element("p", { class: "note" }, "The first account of a new server is its administrator.");
  form.replaceChildren(
    element("h2", {}, title),
    ...(registering ? [hint] : []),
    element("div", { class: "faults" }),
    ...(registering ? [input("name", "Name", "text", "name")] : []),
    input("email", "E-mail", "email", "username"),
    input("password", "Password", "password", registering ? "new-password" : "current-password"),
    element("button", { class: "primary", type: "submit" }, verb),
    element(
      "p",
      { class: "note" },
      other.lead,
      " ",
      element("button", { class: "link", type: "button", onclick: () => draw(form, other.mode, done) }, other.verb),
    ),
  );
  form.onsubmit = (event) => {
    event.preventDefault();
    submit(form, MODES[mode], done);
  };
}

async function submit(form, { act, verb }, done) {
  const button = form.querySelector("[type=submit]");
  button.disabled = true;
  const faults = await act(Object.fromEntries(new FormData(form))).catch((error) => [error]);
  button.disabled = false;
  form
    .querySelector(".faults")
    .replaceChildren(...(faults.length ? [complaint(...faults.map(({ message }) => message))] : []));
  for (const field of form.querySelectorAll("input")) {
    field.toggleAttribute(
      "aria-invalid",
      faults.some((fault) => fault.field?.at(-1) === field.name),
    );
  }
  if (faults.length === 0) done();
}

function input(name, label, type, autocomplete) {
  return element(
    "label",
    {},
    element("span", {}, label),
    element("input", { name, type, autocomplete, required: true }),
  );
}
