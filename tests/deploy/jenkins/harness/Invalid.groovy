/** Why Jenkins would not begin. */
class Invalid extends RuntimeException {
  Invalid(String why) { super(why) }
}
