/*
 * Evaluates declarative Jenkinsfiles without a Jenkins, and writes down every step.
 *
 * A line of JSON on standard input is a build: {"jenkinsfile": text, "build": {...}}. A line of JSON answers it:
 * {"invalid": why Jenkins would not begin, "result": "SUCCESS", "events": [...]}. What a build may say:
 *
 *   environment   variables that Jenkins gives (BRANCH_NAME, TAG_NAME, ...)
 *   secrets       credentials by their ids
 *   files         what steps find in a workspace after a checkout, by path
 *   sh            regular expression of a command to how it ends: "FAILURE" or "ABORTED" (a timeout, or somebody)
 *   inputs        message of an input to how it is answered: "ABORTED" instead of an approval
 *   previous      the result of the build before
 *   plugins       the names of the plugins that this Jenkins has
 *
 * It is as strict as Jenkins' own validation where the Jenkinsfile goes: unknown sections, steps and parameters are refused. It knows
 * nothing of Jenkins' sandbox nor of what plugins really do. Groovy finds the other classes in the files of their names.
 */
import groovy.json.JsonOutput
import groovy.json.JsonSlurper
import org.codehaus.groovy.control.CompilationFailedException
import org.codehaus.groovy.control.CompilerConfiguration
import org.codehaus.groovy.runtime.InvokerHelper

/** What a Jenkinsfile is compiled to: its steps, and nothing else that it could call. */
abstract class Steps extends Script {
  Build getBuild() { binding.getVariable('build') }

  void pipeline(Closure body) {
    if (build.model) throw new Invalid('there are two pipelines')
    build.model = Section.of('pipeline', body)
  }

  def propertyMissing(String name) {
    if (name in ['none', 'any']) return name
    def value = build.env.getProperty(name)
    if (value == null) throw new MissingPropertyException(name, getClass())
    return value
  }

  def methodMissing(String name, Object given) {
    throw new Invalid("No such DSL method '${name}' found among steps")
  }

  private void step(String name, Map about = [:]) {
    if (!build.stepsAllowed) throw new Invalid("${name} is a step and stands outside of steps")
    build.offered.need(name - ' step')
    if (build.interrupted) throw new Stopped('ABORTED', 'ended with its neighbours')
    build.record(name, about)
  }

  private Map named(String step, Map given) {
    Allowed.parameters(step, given)
    return given
  }

  void sh(String text) { sh(script: text) }

  void sh(Map given) {
    def text = named('sh', given).script as String
    step('sh', [text: text, variables: ['STATUS', 'VERSION', 'JUNIT', 'COVERAGE'].collectEntries { [it, build.env.getProperty(it)] }])
    def here = build.workspace()
    if (!here.checkedOut) throw new Stopped('FAILURE', "${text}: there is no Makefile here")
    def ends = build.told.sh?.find { text =~ it.key }?.value
    if (ends) throw new Stopped(ends, text)
    (build.told.files ?: [:]).each { path, content -> here.files[path] = content }
  }

  void echo(String text) { step('echo', [text: text]) }

  void error(String text) {
    step('error', [text: text])
    throw new Stopped('FAILURE', text)
  }

  void checkout(Object scm) {
    step('checkout')
    build.workspace().checkedOut = true
  }

  void script(Closure work) { work() }

  void deleteDir() {
    step('deleteDir')
    build.workspace().files.clear()
    build.workspace().checkedOut = false
  }

  String readFile(String path) {
    step('readFile', [path: path])
    def content = build.workspace().files[path]
    if (content == null) throw new Stopped('FAILURE', "${path} is not there")
    return content
  }

  boolean fileExists(String path) {
    step('fileExists', [path: path])
    return build.workspace().files.containsKey(path)
  }

  String readTrusted(String path) {
    step('readTrusted', [path: path])
    return "yaml of ${path}"
  }

  void archiveArtifacts(Map given) { step('archiveArtifacts', named('archiveArtifacts', given)) }

  void junit(Map given) { step('junit', named('junit', given)) }

  void recordCoverage(Map given) { step('recordCoverage', named('recordCoverage', given)) }

  void stash(Map given) {
    step('stash', named('stash', given))
    build.workspace()
    build.stashes[given.name] = given.includes
  }

  void unstash(String name) {
    step('unstash', [name: name])
    build.workspace()
    if (!build.stashes.containsKey(name)) throw new Stopped('FAILURE', "there is no stash ${name}")
  }

  void timeout(Map given, Closure work) {
    step('timeout')
    build.limits << Allowed.minutes(given)
    try {
      work()
    } finally {
      build.limits.remove(build.limits.size() - 1)
    }
  }

  void lock(Map given, Closure work) {
    step('lock step')
    build.lock(given, work)
  }

  void withEnv(List<String> assignments, Closure work) {
    step('withEnv')
    build.env.with(assignments.collectEntries { it.toString().split('=', 2) as List }, work)
  }

  void withCredentials(List<Map> bindings, Closure work) {
    step('withCredentials', [ids: bindings.collect { it.credentialsId }])
    def values = bindings.collectEntries { binding ->
      def secret = build.told.secrets?.get(binding.credentialsId)
      if (secret == null) throw new Stopped('FAILURE', "there is no credential ${binding.credentialsId}")
      [binding.variable, secret]
    }
    build.bound.addAll(values.keySet())
    try {
      build.env.with(values, work)
    } finally {
      values.each { build.bound.remove(build.bound.size() - 1) }
    }
  }

  Map string(Map given) { bound('string', given) }

  Map file(Map given) { bound('file', given) }

  private Map bound(String kind, Map given) {
    build.offered.need(kind)
    return [kind: kind] + given
  }

  Map logRotator(Map given) { given }

  void podTemplate(Map given, Closure work) {
    step('podTemplate')
    named('podTemplate', given)
    build.env.with([POD_LABEL: given.yaml], work)
  }

  void node(String label, Closure work) {
    step('node')
    build.agent([yamlFile: label - 'yaml of ', container: null], work)
  }

  void container(String name, Closure work) {
    step('container', [name: name])
    def here = build.workspace()
    def before = here.container
    here.container = name
    try {
      work()
    } finally {
      here.container = before
    }
  }
}

class Compiled {
  private static String text
  private static Class made

  /** The Jenkinsfile as a class; many builds of one come one after the other. */
  static Class of(String jenkinsfile) {
    if (jenkinsfile != text) {
      def loader = new GroovyClassLoader(Compiled.classLoader, new CompilerConfiguration(scriptBaseClass: Steps.name))
      made = loader.parseClass(jenkinsfile, 'Jenkinsfile')
      text = jenkinsfile
    }
    return made
  }
}

/** Evaluates one build. */
Map evaluated(Map asked) {
  def build = new Build(asked.build)
  def binding = new Binding([build: build, env: build.env, scm: [:], currentBuild: new CurrentBuild(build)])
  def invalid = null
  try {
    InvokerHelper.createScript(Compiled.of(asked.jenkinsfile), binding).run()
    if (!build.model) throw new Invalid('there is no pipeline')
    build.run()
  } catch (Invalid | MissingPropertyException | MissingMethodException | CompilationFailedException refused) {
    invalid = refused.message
  }
  return [invalid: invalid, result: build.result, events: build.events, displayName: build.displayName, options: build.options]
}

def answers = System.out
System.setOut(System.err)
System.in.newReader('UTF-8').eachLine { line ->
  answers.println(JsonOutput.toJson(evaluated(new JsonSlurper().parseText(line) as Map)))
  answers.flush()
}
