// What stands in for VS Code's notebook in test_vscode.py: it runs cells in a kernel of a Jupyter
// server, and shows what they give with the widget manager that VS Code's Jupyter extension loads
// (npm's @vscode/jupyter-ipywidgets8, or 7), as that extension does.
import { KernelAPI, KernelConnection, ServerConnection } from "@jupyterlab/services";

const VIEW = "application/vnd.jupyter.widget-view+json";

// Widgets of others: the extension finds their file and tells require.js where it is.
function scriptLoader(base) {
  const known = new Set();
  return {
    widgetsRegisteredInRequireJs: known,
    loadWidgetScript: async name => {
      window.requirejs.config({ paths: { [name]: `${base}/nbextensions/${name}/index` } });
      known.add(name);
    },
    successHandler: () => {},
    errorHandler: (name, module, version, error) => console.error(`no ${module}.${name}: ${error}`),
  };
}

// `version`: of ipywidgets, 7 or 8. Puts `cell(code)` on the window, and what was saved on `saved`.
export async function begin(base, name, version) {
  window[`vscIPyWidgets${version}`].load();
  const serverSettings = ServerConnection.makeSettings({ baseUrl: base, wsUrl: base.replace(/^http/, "ws") });
  // One kernel, without the manager that asks again and again for the list of all of them.
  const model = await KernelAPI.startNew({ name }, serverSettings);
  const kernel = new KernelConnection({ model, serverSettings });
  await kernel.info;
  const { WidgetManager } = window.vscIPyWidgets;
  const manager = new WidgetManager(kernel, document.body, scriptLoader(base), () => {});

  async function show(data) {
    const output = document.body.appendChild(document.createElement("div"));
    if (!(VIEW in data)) {
      if (data["text/html"]) output.innerHTML = data["text/html"];
      else output.textContent = data["text/plain"];
      return;
    }
    output.className = "cell-output-ipywidget-background";
    const model = await manager.get_model(data[VIEW].model_id);
    const view = await manager.create_view(model, { el: output });
    await manager.display_view(data[VIEW], view, { node: output });
  }

  window.cell = async code => {
    const shown = [], future = kernel.requestExecute({ code });
    future.onIOPub = ({ header, content }) => {
      if (header.msg_type === "error") shown.push(Promise.reject(Error(content.evalue)));
      if (content.data) shown.push(show(content.data));
    };
    await future.done;
    await Promise.all(shown);
  };
  // VS Code saves what a link in the page holds; it hears of no click elsewhere.
  window.saved = [];
  document.addEventListener("click", event => {
    const link = event.composedPath().find(node => node instanceof HTMLAnchorElement);
    if (!link?.href.startsWith("data:")) return;
    window.saved.push([link.download, link.href]);
    event.preventDefault();
  });
}
