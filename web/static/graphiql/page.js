/** The GraphiQL page: GraphiQL itself, with the explorer, the examples, and a sign-in that signs every request. */

import { byId, complaint, element } from "../elements.js";
import { LIBRARIES, load } from "../libraries.js";
import * as session from "../session.js";
import { signInForm } from "../sign_in.js";
import { EXAMPLES } from "./examples.js";
import { createFetcher } from "./fetcher.js";

const LINK = new URLSearchParams(location.hash.slice(1));

showSession();
start();

async function start() {
  try {
    await loadLibraries();
  } catch {
    const advice =
      "GraphiQL could not be loaded. Run “npm ci --prefix web” where the server runs, then load this anew.";
    byId("graphiql").replaceChildren(complaint(advice));
    return;
  }
  const { React, ReactDOM, GraphiQL, GraphiQLPluginExplorer } = window;
  const properties = {
    fetcher: await createFetcher(),
    plugins: [GraphiQLPluginExplorer.explorerPlugin({ showAttribution: false })],
    defaultEditorToolsVisibility: "variables",
    storage: sessionStorage, // like the tokens: what is typed here, a password too, ends with the tab
    ...tabs(),
  };
  ReactDOM.createRoot(byId("graphiql")).render(React.createElement(GraphiQL, properties));
}

/** What the link asks for in a tab of its own, before the examples; else the tabs as they were left. */
function tabs() {
  const linked = LINK.get("query") && { query: LINK.get("query"), variables: LINK.get("variables") ?? "" };
  const examples = Object.values(EXAMPLES);
  const defaultTabs = linked ? [linked, ...examples.filter(({ query }) => query !== linked.query)] : examples;
  const left = sessionStorage.getItem("graphiql:tabState");
  return { defaultTabs, ...(linked || (left ? {} : defaultTabs[0])) }; // the editors show the first tab only if told
}

async function loadLibraries() {
  const styles = Promise.all([load(LIBRARIES.graphiqlStyle), load(LIBRARIES.explorerStyle)]);
  for (const name of ["react", "reactDom", "graphiql", "explorer", "graphqlWs"]) await load(LIBRARIES[name]);
  await styles;
}

function showSession() {
  const dialog = byId("sign-in");
  const open = () => {
    dialog.replaceChildren(signInForm(() => dialog.close()));
    dialog.showModal();
  };
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  session.onChange((user, reason) => {
    byId("who").replaceChildren(
      ...(user ? signedIn(user) : [element("button", { class: "primary", onclick: open }, "Sign in")]),
    );
    if (user) dialog.close();
    if (reason) {
      open();
      dialog.querySelector(".faults").replaceChildren(complaint(reason));
    }
  });
}

function signedIn(user) {
  return [
    element("b", { title: "Every request carries this account's Authorization, over HTTP and WebSocket." }, user.email),
    element("span", { class: "role" }, user.role),
    element("button", { onclick: session.leave }, "Sign out"),
  ];
}
